import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, FlashBladeError, isFlashBladeError, known } from '../../../lib/core/errors.ts';

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
