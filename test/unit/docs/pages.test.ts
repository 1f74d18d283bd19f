/** The documentation's tables equal the code, and its examples work. */
import { describe, expect, it } from 'vitest';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { OUTBOX_VARIABLES, VARIABLES } from '../../../lib/core/config.ts';
import { ERROR_CODES } from '../../../lib/core/errors.ts';
import { EVENTS } from '../../../lib/core/reports.ts';
import { DURATIONS } from '../../../lib/lambda/metrics.ts';
import { parseLoginRequest } from '../../../lib/leases/requests.ts';
import { examples, page, tableRows } from '../../kit/pages.ts';

const FUNCTIONS = page('functions-and-events.md');

describe('the page about errors', () => {
  const ERRORS = page('errors.md');
  const retryables = Object.entries(ERROR_CODES).map(([code, { retryable }]) => [code, retryable ? 'yes' : 'no']);

  it('lists every code once, in the order of the code, with whether it is retryable and a link to its section', () => {
    const expected = retryables.map(([code = '', again]) => [`[\`${code}\`](#${code.toLowerCase()})`, again]);
    const rows = tableRows('code', ERRORS);
    expect(rows.map(([code, again]) => [code, again])).toEqual(expected);
    for (const [, , meaning = ''] of rows) expect(meaning.length).toBeGreaterThan(10);
  });

  it('has a section for every code, with whether to retry and what to do', () => {
    const sections = [...ERRORS.matchAll(/^### ([A-Z_]+)\nRetry: (yes|no)\. ([\s\S]*?)(?=^##|(?![\s\S]))/gm)];
    expect(sections.map(([, code, again]) => [code, again])).toEqual(retryables);
    for (const [, code, , text = ''] of sections) expect(text.replaceAll('\n', ' '), code).toContain('**What to do:**');
  });
});

it('the table of variables has the names, defaults and ranges of the code', () => {
  const expected = Object.entries({ ...VARIABLES, ...OUTBOX_VARIABLES }).map(([name, variable]) => [
    `\`${name}\``,
    'default' in variable ? `\`${variable.default}\`` : '',
    variable.kind === 'number' ? `${variable.min} to ${variable.max}` : '',
    variable.about,
  ]);
  expect(tableRows('variable', page('library.md'))).toEqual(expected);
});

it('the section about logs and metrics lists every event and duration', () => {
  const section = FUNCTIONS.slice(FUNCTIONS.indexOf('## Logs and metrics'));
  const named = [
    ...section.matchAll(
      /`((?:Log|Lease|Invocation|Suspect|Ledger|Stale|Sweep|Array|Fleet|Message|Request|Secrets|Event)\w+)`/g,
    ),
  ].map(([, name]) => name);
  expect([...new Set(named)].sort()).toEqual([...Object.keys(EVENTS), ...Object.values(DURATIONS)].sort());
});

it.each(examples('json secret', page('secrets-and-trust.md')))('the example of a secret is valid: %s', (json) => {
  expect(parseSecret('fb1', 'flashblade/fb1', { SecretString: json }).array.host).toBe('fb1.example.com');
});

it.each(examples('json schedule-input', FUNCTIONS))('only EventBridge Scheduler makes this input valid: %s', (json) => {
  expect(() => parseLoginRequest(JSON.parse(json), 'invocation')).toThrow('only EventBridge Scheduler replaces');
  const replaced = JSON.parse(json.replaceAll(/<aws\.scheduler\.[a-z-]+>/g, 'execution-7'));
  expect(parseLoginRequest(replaced, 'invocation')).toMatchObject({ array: 'fb1', leaseId: 'execution-7' });
});

it.each(examples('json login-request', FUNCTIONS))('the example of a login request is valid: %s', (json) => {
  expect(parseLoginRequest(JSON.parse(json), 'invocation')).toMatchObject({ array: 'fb1' });
});
