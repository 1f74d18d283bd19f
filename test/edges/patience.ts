/**
 * The stand-ins of AWS run on the same machine as the test, which may be slow: in the tests of a file that calls `patience`, a call of
 * AWS waits as long as it takes, not the two seconds of the product.
 */
import { afterEach, beforeEach, type MockInstance, vi } from 'vitest';

let spy: MockInstance<typeof AbortSignal.timeout> | undefined;

export function patience(): void {
  beforeEach(() => {
    spy = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
  });
  afterEach(noPatience);
}

/** For the rest of a test that is about the time itself. */
export const noPatience = (): void => spy?.mockRestore();
