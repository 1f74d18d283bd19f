/**
 * The AWS stand-ins run on the test's own machine, which may be slow. In a file that calls `patience`, AWS calls have no time limit
 * instead of the product's two seconds.
 */
import { afterEach, beforeEach, type MockInstance, vi } from 'vitest';

let spy: MockInstance<typeof AbortSignal.timeout> | undefined;

export function patience(): void {
  beforeEach(() => {
    spy = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
  });
  afterEach(noPatience);
}

/** Restores the time limit, for the rest of a test about timeouts. */
export const noPatience = (): void => spy?.mockRestore();
