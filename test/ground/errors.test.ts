import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, FlashBladeError, isFlashBladeError, known } from '../../lib/ground/errors.ts';

const RETRYABLE = [
  ...['SECRET_UNAVAILABLE', 'ARRAY_UNREACHABLE', 'ARRAY_BUSY', 'LOGIN_UNKNOWN', 'LEASE_OPENING', 'LEASE_LIMIT'],
  ...['AWS_UNAVAILABLE', 'OUT_OF_TIME'],
];

describe('an error', () => {
  it('is named by its code, so that a state machine can catch it, and knows whether it may pass', () => {
    const codes = Object.keys(ERROR_CODES) as ErrorCode[];
    const errors = codes.map((code) => new FlashBladeError(code, 'why'));
    expect(errors.map(({ name }) => name)).toEqual(codes);
    expect(errors.filter(({ retryable }) => retryable).map(({ code }) => code)).toEqual(RETRYABLE);
    expect(errors[0]).toMatchObject({ message: 'why', facts: {} });
  });

  it('is one of ours, of any code or of those that are asked for', () => {
    const error = new FlashBladeError('ARRAY_BUSY', 'busy');
    expect(isFlashBladeError(error)).toBe(true);
    expect(isFlashBladeError(error, 'FORBIDDEN', 'ARRAY_BUSY')).toBe(true);
    expect(isFlashBladeError(error, 'FORBIDDEN')).toBe(false);
    expect(isFlashBladeError(Object.assign(new Error(), { code: 'ARRAY_BUSY' }), 'ARRAY_BUSY')).toBe(false);
  });
});

describe('an error that nobody expected', () => {
  it('is INTERNAL, names its class and the places in the code, and nothing of its message', () => {
    const error = known(new RangeError('T-secret'));
    expect(error).toMatchObject({
      code: 'INTERNAL',
      message: 'an unexpected RangeError: please report it with its stack',
      facts: { mayHaveOpened: true },
    });
    const [first, ...places] = error.stack?.split('\n') ?? [];
    expect(first).toBe('INTERNAL: an unexpected RangeError: please report it with its stack');
    expect(places[0]).toMatch(/^ {4}at .*errors\.test\.ts/);
    expect(places.filter((line) => !line.startsWith('    at '))).toEqual([]);
    expect(error.stack).not.toContain('T-secret');
  });

  it('does not take a message for a stack', () => {
    const error = known(new Error('broken:\n    at T-secret\n    at T-secret'));
    expect(error.stack).toMatch(/^INTERNAL: .*\n {4}at .*errors\.test\.ts/);
    expect(error.stack).not.toContain('T-secret');
  });

  it.each([
    ['a text', 'T-secret'],
    ['nothing', undefined],
    ['an object', { name: 'RangeError' }],
    ['an error with a name that is none', Object.assign(new Error(), { name: 'T-secret 1' })],
    ['an error with an endless name', Object.assign(new Error(), { name: 'T'.repeat(81) })],
  ])('is one without a name if it is %s', (_, thrown) => {
    expect(known(thrown).message).toBe('an unexpected error: please report it with its stack');
  });

  it('keeps the stack of where it was caught if it has none', () => {
    const bare = new Error('T-secret');
    Object.defineProperty(bare, 'stack', { value: undefined });
    expect(known(bare).stack).toContain('errors.test.ts');
    expect(known('T-secret').stack).toContain('errors.test.ts');
  });

  it('is itself if it is one of ours', () => {
    const error = new FlashBladeError('ARRAY_BUSY', 'busy');
    expect(known(error)).toBe(error);
  });
});
