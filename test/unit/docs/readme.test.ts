/** Checks the README's tables against the code, and that its examples work. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { OUTBOX_VARIABLES, VARIABLES } from '../../../lib/core/config.ts';
import { ERROR_CODES } from '../../../lib/core/errors.ts';
import { EVENTS } from '../../../lib/core/reports.ts';
import { DURATIONS } from '../../../lib/lambda/metrics.ts';
import { parseLoginRequest } from '../../../lib/leases/requests.ts';
import { ROOT } from '../../../scripts/build.ts';
import { examples, README, tableRows } from './readme.ts';

const scripts: Record<string, string> = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')).scripts;

describe('the README', () => {
  it('the table of errors has every code once, whether it is retryable, its cause and the next step', () => {
    const rows = tableRows('code');
    expect(rows.map(([code]) => code)).toEqual(Object.keys(ERROR_CODES).map((code) => `\`${code}\``));
    expect(rows.map(([, retryable]) => retryable)).toEqual(
      Object.values(ERROR_CODES).map(({ retryable }) => (retryable ? 'yes' : 'no')),
    );
    for (const row of rows) expect(row.filter((cell) => cell.length > 5)).toHaveLength(3);
  });

  it('the table of variables has the names, defaults and ranges of the code', () => {
    const expected = Object.entries({ ...VARIABLES, ...OUTBOX_VARIABLES }).map(([name, variable]) => [
      `\`${name}\``,
      'default' in variable ? `\`${variable.default}\`` : '',
      variable.kind === 'number' ? `${variable.min} to ${variable.max}` : '',
      variable.about,
    ]);
    expect(tableRows('variable')).toEqual(expected);
  });

  it('the section about logs and metrics lists every event and duration', () => {
    const section = README.slice(README.indexOf('## Logs and metrics'), README.indexOf('## What has not'));
    const named = [
      ...section.matchAll(/`((?:Log|Lease|Invocation|Suspect|Ledger|Stale|Sweep|Array|Fleet|Message|Request)\w+)`/g),
    ].map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual([...Object.keys(EVENTS), ...Object.values(DURATIONS)].sort());
  });

  it('every command in the README exists', () => {
    const named = [...README.matchAll(/(?:^|`|&& |\| )npm (?:run )?([\w:]+)/gm)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'ci');
    expect(named.length).toBeGreaterThan(5);
    for (const name of named) expect(scripts).toHaveProperty([name]);
  });

  it.each(examples('json secret'))('the example of a secret is valid: %s', (json) => {
    expect(parseSecret('fb1', 'flashblade/fb1', { SecretString: json }).array.host).toBe('fb1.example.com');
  });

  it.each(examples('json login-request'))('the example of a login request is valid: %s', (json) => {
    expect(parseLoginRequest(JSON.parse(json), 'invocation')).toMatchObject({ array: 'fb1' });
  });
});
