import { describe, expect, it } from 'vitest';
import {
  OUTBOX_VARIABLES,
  readConfig,
  readOutboxConfig,
  readSweepConfig,
  SWEEP_VARIABLES,
  VARIABLES,
} from '../../../lib/core/config.ts';

const NEEDED = { LEASE_TABLE: 'leases', LEASE_KEY: 'alias/leases' };
const SECRET_LOOKING = 'T-00000000';

describe('the configuration', () => {
  it('has a default for everything except the table and the key', () => {
    expect(readConfig(NEEDED)).toEqual({
      ...NEEDED,
      SECRET_PREFIX: 'flashblade/',
      SESSIONS_PER_ARRAY: 50,
      ALLOWED_CALLS: 'GET /api/**',
      MAX_LEASE_SECONDS: 86_400,
      SECRET_CACHE_SECONDS: 300,
      DUE_SHARDS: 1,
      ARRAY_IDLE_SECONDS: 1800,
      CONNECT_TIMEOUT_MS: 2000,
      FIRST_BYTE_TIMEOUT_MS: 5000,
      ANSWER_TIMEOUT_MS: 10_000,
    });
  });

  it('is refused with the names of all missing variables in one message', () => {
    expect(() => readConfig({})).toThrow(
      /^environment variable LEASE_TABLE must be set \(.*\); environment variable LEASE_KEY must be set \(/,
    );
  });

  it('of session-events also needs an event bus and a dead-letter queue', () => {
    const names = { EVENT_BUS: 'sessions', DEAD_LETTER_QUEUE: 'https://sqs.example.com/1/q' };
    expect(readOutboxConfig({ ...NEEDED, ...names })).toEqual({ ...names, MAX_REQUEST_AGE_SECONDS: 3600 });
    expect(() => readOutboxConfig(NEEDED)).toThrow(
      /EVENT_BUS must be set \(.*\); environment variable DEAD_LETTER_QUEUE must be set/,
    );
  });

  it('of sweep-sessions has no state machines by default', () => {
    expect(readSweepConfig(NEEDED)).toEqual({ STATE_MACHINE_ARN_PREFIX: '' });
  });

  it('treats an empty variable as missing', () => {
    expect(() => readConfig({ ...NEEDED, LEASE_KEY: '' })).toThrow(/LEASE_KEY/);
    expect(readConfig({ ...NEEDED, SESSIONS_PER_ARRAY: '' }).SESSIONS_PER_ARRAY).toBe(50);
  });

  const texts = Object.entries({ ...VARIABLES, ...OUTBOX_VARIABLES, ...SWEEP_VARIABLES }).flatMap(([name, { kind }]) =>
    kind === 'text' ? [name] : [],
  );

  it.each(texts)('is refused if %s contains an API token, and the message does not repeat the token', (name) => {
    const token = 'T-3f2504e0-4f89-11d3-9a0c-0305e82c3301';
    const readOthers = name in SWEEP_VARIABLES ? readSweepConfig : readConfig;
    const read = name in OUTBOX_VARIABLES ? readOutboxConfig : readOthers;
    const others = { ...NEEDED, EVENT_BUS: 'sessions', DEAD_LETTER_QUEUE: 'https://sqs.example.com/1/q' };
    for (const value of [token, `x/${token}`]) {
      const message = `environment variable ${name} must not contain anything that looks like an API token`;
      expect(() => read({ ...others, [name]: value })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message }),
      );
    }
    const kmsKey = 'arn:aws:kms:eu-central-1:1:key/3f2504e0-4f89-11d3-9a0c-0305e82c3301';
    expect(() => read({ ...others, [name]: kmsKey })).not.toThrow();
  });

  const numbers = Object.entries(VARIABLES).flatMap(([name, variable]) =>
    variable.kind === 'number' ? [[name, variable] as const] : [],
  );

  it.each(numbers)(
    'accepts %s within its range only, and the message does not repeat a refused value',
    (name, { min, max }) => {
      for (const value of [min, max])
        expect(readConfig({ ...NEEDED, [name]: String(value) })).toMatchObject({ [name]: value });
      for (const value of [min - 1, max + 1, '1.5', '1e3', ' 300', 'Infinity', '0x10', SECRET_LOOKING]) {
        const read = () => readConfig({ ...NEEDED, [name]: String(value) });
        expect(read).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
        expect(read).toThrow(`${name} must be a whole number from ${min} to ${max}`);
        expect(read).not.toThrow(SECRET_LOOKING);
      }
    },
  );
});
