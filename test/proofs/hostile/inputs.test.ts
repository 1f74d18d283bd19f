import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { brokenCopy, type Patch, tell } from '../controls.ts';
import { type Summary, tryInputs } from './inputs.ts';
import { wrongOf } from './paths.ts';
import { TARGETS, type Target } from './targets.ts';
import { CANARY } from './values.ts';

vi.setConfig({ testTimeout: 240_000 });

const PER_PARSER = 500;

describe('hostile inputs', () => {
  it('are accepted or refused with an expected error code, and no error contains a piece of a token', () => {
    const { inputs, taken, refused, wrong } = tryInputs(1, PER_PARSER);
    expect(wrong).toEqual([]);
    expect(inputs).toBeGreaterThanOrEqual(5000);
    // If almost all inputs were accepted, or almost all refused, they would exercise only a few rules.
    for (const [name, { codes }] of Object.entries(TARGETS)) {
      expect(taken[name], name).toBeGreaterThan(PER_PARSER / 20);
      if (codes.length > 0) expect(refused[name], name).toBeGreaterThan(PER_PARSER / 20);
    }
  });

  it('are the same for the same seed and differ for another seed', () => {
    expect(tryInputs(3, 50)).toEqual(tryInputs(3, 50));
    expect(tryInputs(3, 50)).not.toEqual(tryInputs(4, 50));
  });

  it('that are very large are refused with an error code, within 128 MiB of memory', async () => {
    const worker = new Worker(new URL('giants.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    const [refusals]: Record<string, string>[] = await once(worker, 'message');
    await worker.terminate();
    const codes = Object.entries(refusals ?? {});
    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter(([_, code]) => !/^(REQUEST|SECRET|ANSWER)_INVALID$/.test(code))).toEqual([]);
  });
});

describe('the check of hostile inputs', () => {
  const patch = (file: string, find: string, replace: string): Patch => ({ file: `lib/${file}`, find, replace });
  const mistakes = [
    patch('flashblade/responses.ts', 'redactApiTokens(redact(value, tokens)) === value', 'true'),
    patch(
      'flashblade/responses.ts',
      'sharesPiece(value.toLowerCase(), token.reveal().toLowerCase())',
      'value === token.reveal()',
    ),
    patch('flashblade/responses.ts', 'value.every(', 'value.some('),
    patch('flashblade/responses.ts', 'Math.min(Math.max(seconds, 0), MAX_WAIT_SECONDS)', 'seconds'),
    patch('fleet/array-facts.ts', 'v.safeParse(pageBody, body)', '{ success: true, output: v.parse(pageBody, body) }'),
    patch('core/host.ts', '/^[a-z_]/.test(labels.at(-1) as string)', 'true'),
    patch('leases/events.ts', `'event: the message must be an EventBridge event in JSON'`, 'body'),
    patch('leases/call-array.ts', 'isNeverCalled(path)) throw', 'false) throw'),
  ];

  it('detects each parser that accepts too much', async () => {
    await using broken = await brokenCopy('test/proofs/hostile/inputs.ts', mistakes);
    const { wrong } = await tell<Summary>(broken.path, 'tryInputs', [1, PER_PARSER, true]);
    const names = ['call request', 'event', 'list answer', 'login answer', 'retry-after', 'secret', 'versions answer'];
    expect(wrong.map((line) => line.split(':')[0]).sort()).toEqual(names);
  });

  const parser = (parse: (input: unknown) => unknown): Readonly<Record<string, Target>> => ({
    parser: { input: fc.constant(CANARY), parse, codes: ['REQUEST_INVALID'] },
  });
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, 'polluted');
  });
  it.each<[string, (input: unknown) => unknown, string]>([
    ['throws a raw JSON.parse error', (input) => JSON.parse(String(input)), 'it threw SyntaxError'],
    [
      'throws an unexpected error code',
      () => {
        throw new FlashBladeError('INTERNAL', 'x');
      },
      'it threw INTERNAL',
    ],
    [
      'puts a piece of a token into its error',
      (input) => {
        throw new FlashBladeError('REQUEST_INVALID', String(input).slice(5, 14));
      },
      'its error tells the token',
    ],
    [
      'modifies Object.prototype',
      () => Object.defineProperty(Object.prototype, 'polluted', { value: 1, configurable: true }),
      'Object.prototype was changed',
    ],
  ])('detects a parser that %s', (_, parse, what) => {
    expect(tryInputs(1, 1, false, parser(parse)).wrong).toEqual([expect.stringContaining(`parser: ${what}`)]);
  });

  it.each([
    '//127.0.0.2/api/x',
    '/api/../../x',
    '/api/%2e%2e/x',
    '/api/%252e%252e/x',
    '/api\\..\\x',
    '/api/2.4/%61dmins',
    '/api/2.4/ADMINS;x=1',
    '/api/2.4/login.json',
    '/api/2.4/x/../logout',
    '/api/x\r\nHost: 127.0.0.2',
    '/api/ｌogin',
    'https://user@127.0.0.2/api/x',
  ])('detects the forbidden path %j', (path) => {
    expect(wrongOf(path)).toEqual(expect.any(String));
    expect(wrongOf('/api/2.4/file-systems')).toBeUndefined();
  });
});
