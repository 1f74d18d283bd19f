/** Reads the runbook for the tests that compare it with the alarms, the dashboard and the log lines. */
import type { Report } from '../../../lib/core/reports.ts';
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

const REPORTED = [
  ...(['event', 'message', 'leaseId', 'array', 'owner', 'eventId', 'secretVersionId'] as const),
  ...(['requestId', 'code', 'status', 'durationMs'] as const),
] satisfies (keyof Report)[];

/** The line that Lambda writes for an error of a function has no event, but these fields. */
export const OF_ERROR = ['message.errorType', 'message.errorMessage', 'message.stackTrace'];

/** Fields of the functions' log lines, as a query names them: those of a report, and those that Lambda adds. */
export const FIELDS: readonly string[] = [
  ...REPORTED.map((field) => `message.${field}`),
  ...['level', 'timestamp', 'requestId'],
  ...OF_ERROR,
];
