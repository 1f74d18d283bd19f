/** Reads the runbook for the tests that compare it with the alarms and the dashboard. */
import { page } from '../../kit/pages.ts';

export const RUNBOOK = page('operations.md');

/** Anchors of its headings, as a Markdown renderer creates them. */
export const headings = (text = RUNBOOK): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/^#{1,4} (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );

/** Queries for CloudWatch Logs Insights, and filters within sentences. */
export const queries = (): string[] =>
  [...RUNBOOK.matchAll(/^```logs-insights\n([\s\S]*?)^```$|`([\w.]+ = '[^'`]*')`/gm)].map(
    ([, query, filter]) => query ?? filter ?? '',
  );

const WORDS =
  /^(fields|filter|stats|sort|limit|by|as|and|or|not|like|in|desc|asc|count|min|max|avg|pct|bin|latest|coalesce|ispresent|SOURCE)$/;

/** The fields of log lines that a query names. */
export const fieldsIn = (query: string): string[] => {
  const bare = query.replace(/'[^']*'|"[^"]*"|\/[^/]*\/|\d+[a-z]*/g, ' ');
  const named = new Set([...bare.matchAll(/\bas (\w+)/g)].map(([, alias]) => alias));
  const words = bare.match(/@?[A-Za-z_][\w.]*/g) ?? [];
  return [...new Set(words)].filter((word) => !WORDS.test(word) && !named.has(word) && !word.startsWith('@'));
};
