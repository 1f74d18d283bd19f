import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import {
  about,
  ERROR_CODES,
  type ErrorCode,
  FlashBladeError,
  isFlashBladeError,
  known,
} from '../../../lib/core/errors.ts';

const RETRYABLE = [
  ...['SECRET_UNAVAILABLE', 'ARRAY_UNREACHABLE', 'ARRAY_BUSY', 'LOGIN_UNKNOWN', 'LEASE_OPENING', 'LEASE_LIMIT'],
  ...['AWS_UNAVAILABLE', 'OUT_OF_TIME'],
];

describe('a FlashBladeError', () => {
  it('has its code as its name, so that Step Functions can catch it, and knows whether it is retryable', () => {
    const codes = Object.keys(ERROR_CODES) as ErrorCode[];
    const errors = codes.map((code) => new FlashBladeError(code, 'why'));
    expect(errors.map(({ name }) => name)).toEqual(codes);
    expect(errors.filter(({ retryable }) => retryable).map(({ code }) => code)).toEqual(RETRYABLE);
    expect(errors[0]).toMatchObject({ message: 'why', facts: {} });
  });

  it('is recognized by its class, with any code or with one of the given codes', () => {
    const error = new FlashBladeError('ARRAY_BUSY', 'busy');
    expect(isFlashBladeError(error)).toBe(true);
    expect(isFlashBladeError(error, 'FORBIDDEN', 'ARRAY_BUSY')).toBe(true);
    expect(isFlashBladeError(error, 'FORBIDDEN')).toBe(false);
    expect(isFlashBladeError(Object.assign(new Error(), { code: 'ARRAY_BUSY' }), 'ARRAY_BUSY')).toBe(false);
  });
});

describe('an error of another installed copy of the library', () => {
  async function otherCopy() {
    vi.resetModules();
    const other = await import('../../../lib/core/errors.ts');
    return { other, error: new other.FlashBladeError('ARRAY_BUSY', 'busy', { array: 'fb1', retryAfterSeconds: 7 }) };
  }

  it('is recognized in both directions, although its class is another one', async () => {
    const { other, error } = await otherCopy();
    expect(error).not.toBeInstanceOf(FlashBladeError);
    expect(isFlashBladeError(error)).toBe(true);
    expect(isFlashBladeError(error, 'FORBIDDEN', 'ARRAY_BUSY')).toBe(true);
    expect(isFlashBladeError(error, 'FORBIDDEN')).toBe(false);
    expect(other.isFlashBladeError(new FlashBladeError('FORBIDDEN', 'no'), 'FORBIDDEN')).toBe(true);
  });

  it('keeps its code, message and facts when this copy adds facts to it', async () => {
    const { error } = await otherCopy();
    expect(known(error)).toBe(error);
    expect(about(error, { array: 'other', leaseId: 'job-1' })).toMatchObject({
      code: 'ARRAY_BUSY',
      message: 'busy',
      facts: { array: 'fb1', leaseId: 'job-1', retryAfterSeconds: 7 },
    });
  });

  it('is not changed if this copy does not know its code', async () => {
    const { error } = await otherCopy();
    Object.assign(error, { code: 'NEWER_CODE' });
    expect(about(error, { leaseId: 'job-1' })).toBe(error);
  });

  it('is not recognized by its look', () => {
    const { code, message, facts } = new FlashBladeError('ARRAY_BUSY', 'busy');
    for (const other of [Object.assign(new Error(message), { code, facts }), { code, message, facts }, null, 'x'])
      expect(isFlashBladeError(other)).toBe(false);
  });
});

it('isFlashBladeError narrows the code to the given ones, and gives the facts their types', () => {
  const error: unknown = new FlashBladeError('LEASE_LIMIT', 'full', { retryAfterSeconds: 7 });
  if (isFlashBladeError(error, 'ARRAY_BUSY', 'LEASE_LIMIT')) {
    expectTypeOf(error.code).toEqualTypeOf<'ARRAY_BUSY' | 'LEASE_LIMIT'>();
    expectTypeOf(error.facts.retryAfterSeconds).toEqualTypeOf<number | undefined>();
    // @ts-expect-error This code is not one of the given ones.
    expect(error.code === 'FORBIDDEN').toBe(false);
  } else expect.unreachable();
  const other: unknown = new FlashBladeError('FORBIDDEN', 'no');
  if (isFlashBladeError(other)) expectTypeOf(other.code).toEqualTypeOf<ErrorCode>();
  // @ts-expect-error There is no such code.
  expect(isFlashBladeError(other, 'LEASE_LIMITED')).toBe(false);
});

describe('an unexpected error', () => {
  it('becomes INTERNAL with its class name and stack frames, and without its message', () => {
    const error = known(new RangeError('T-secret'));
    expect(error).toMatchObject({
      code: 'INTERNAL',
      message: 'unexpected RangeError. This is probably a bug. Please report it with the stack trace',
      facts: { mayHaveOpened: true },
    });
    const [first, ...frames] = error.stack?.split('\n') ?? [];
    expect(first).toBe(
      'INTERNAL: unexpected RangeError. This is probably a bug. Please report it with the stack trace',
    );
    expect(frames[0]).toMatch(/^ {4}at .*errors\.test\.ts/);
    expect(frames.filter((line) => !line.startsWith('    at '))).toEqual([]);
    expect(error.stack).not.toContain('T-secret');
  });

  it('loses a message that looks like stack frames', () => {
    const error = known(new Error('broken:\n    at T-secret\n    at T-secret'));
    expect(error.stack).toMatch(/^INTERNAL: .*\n {4}at .*errors\.test\.ts/);
    expect(error.stack).not.toContain('T-secret');
  });

  it.each([
    ['a text', 'T-secret'],
    ['nothing', undefined],
    ['an object', { name: 'RangeError' }],
    ['an error with an invalid name', Object.assign(new Error(), { name: 'T-secret 1' })],
    ['an error with a very long name', Object.assign(new Error(), { name: 'T'.repeat(81) })],
  ])('is called "error" if it is %s', (_, thrown) => {
    expect(known(thrown).message).toBe(
      'unexpected error. This is probably a bug. Please report it with the stack trace',
    );
  });

  it('without a stack gets the stack of the place that caught it', () => {
    const bare = new Error('T-secret');
    Object.defineProperty(bare, 'stack', { value: undefined });
    expect(known(bare).stack).toContain('errors.test.ts');
    expect(known('T-secret').stack).toContain('errors.test.ts');
  });

  it('stays as it is if it is a FlashBladeError', () => {
    const error = new FlashBladeError('ARRAY_BUSY', 'busy');
    expect(known(error)).toBe(error);
  });
});
