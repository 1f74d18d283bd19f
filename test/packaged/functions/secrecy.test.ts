import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canary, isCanary, PIECE } from '../../kit/canary.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { resultOf } from '../../kit/lambda/outcome.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { SPELLINGS } from '../canaries/spellings.ts';

/** A token in the format of an array. The search finds it only as a whole. */
const TOKEN = 'T-0f1e2d3c-aaaa-bbbb-cccc-0123456789ab';
const CANARY = canary(7);
const MANY = Array.from({ length: 100 }, (_, number) => canary(number));

describe('the search for tokens', () => {
  test.each(Object.keys(SPELLINGS))('finds a canary %s, and no other canary', (name) => {
    const text = `before "${SPELLINGS[name]?.(CANARY)}" after`;
    expect(tokensIn(text, [canary(8), CANARY])).toEqual([CANARY]);
  });

  test.each(Object.keys(SPELLINGS).filter((name) => !name.startsWith('in part')))(
    'finds any other token as a whole %s',
    (name) => {
      const text = `before "${SPELLINGS[name]?.(TOKEN)}" after`;
      expect(tokensIn(text, [TOKEN.replace('0f1e', '1f1e'), TOKEN])).toEqual([TOKEN]);
    },
  );

  test('finds every eight-character piece of a canary in plain text, hex and base64, and no piece of seven', () => {
    for (let at = 0; at + PIECE <= CANARY.length; at++) {
      const piece = CANARY.slice(at, at + PIECE);
      const bytes = Buffer.from(piece);
      const base64 = [0, 1, 2].map((shift) => Buffer.from(`${'x'.repeat(shift)}${piece}yy`).toString('base64'));
      for (const text of [piece, bytes.toString('hex'), ...base64])
        expect(tokensIn(`.${text}.`, [CANARY])).toEqual([CANARY]);
      expect(tokensIn(`.${piece.slice(1)}.`, [CANARY])).toEqual([]);
    }
  });

  test('finds a token in base64-encoded JSON, the format of the log tail that Lambda returns', () => {
    const log = JSON.stringify({ message: JSON.stringify({ apiToken: CANARY }) });
    expect(tokensIn(Buffer.from(log).toString('base64'), [CANARY])).toEqual([CANARY]);
  });

  test('refuses a token that is too short', () => {
    expect(() => tokensIn('', ['T-short'])).toThrow('found everywhere');
  });
});

describe('a canary', () => {
  test('is always the same, differs from every other canary, and is recognized as a canary', () => {
    expect(canary(7)).toBe(CANARY);
    expect(MANY.every(isCanary)).toBe(true);
    expect(isCanary(TOKEN)).toBe(false);
    const pieces = MANY.flatMap((one) =>
      [...Array(one.length - PIECE + 1).keys()].map((at) => one.slice(at, at + PIECE)),
    );
    expect(new Set(pieces).size).toBe(pieces.length);
  });

  test('has a mark in every piece that never occurs in an id, a number or base64', () => {
    expect(MANY.every((one) => /^[^~]{7}(~[^~]{7})+$/.test(one))).toBe(true);
  });

  test('does not occur in random text', () => {
    const random = Array.from({ length: 500 }, (_, index) => createHash('sha512').update(`${index}`).digest());
    const texts = (['hex', 'base64', 'base64url', 'latin1'] as const).map((encoding) =>
      random.map((one) => one.toString(encoding)).join(''),
    );
    expect(texts.flatMap((text) => tokensIn(text, MANY))).toEqual([]);
  });
});

describe('in a deployment', () => {
  let d: Deployment;

  beforeAll(async () => {
    d = await deploy();
    d.addArray('fb1');
  });

  afterAll(() => d.stop());

  test('an unsealed auth token in the ledger is found in the ledger and in the call that wrote it', async () => {
    resultOf(await d.login({ array: 'fb1', leaseId: 'open' }));
    expect(await d.leaks()).toEqual([]);
    const [session] = d.simulator.sessions();
    await d.tamper({ id: 'planted', sealed: Buffer.from(session?.authToken ?? '').toString('base64url') });
    expect(await d.leaks()).toEqual(['what AWS was sent', 'the ledger']);
  });

  test('an API token that a caller sends as a lease id is found in the result of the login', async () => {
    await d.login({ array: 'fb1', leaseId: d.simulator.apiToken });
    expect(await d.leaks()).toContain('results and errors');
  });

  test('an API token that no array accepts is also found', async () => {
    d.addArray('fb2', { apiToken: canary(500) });
    await d.login({ array: 'fb1', leaseId: canary(500).slice(3, 11) });
    expect(d.tokens()).toContain(canary(500));
    expect(await d.leaks({ here: 'nothing', there: canary(500).slice(-PIECE) })).toContain('there');
  });
});
