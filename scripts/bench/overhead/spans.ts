/** The arithmetic of round trips: pure functions of when they were under way. */

/** Milliseconds, by any clock. */
export type Span = { readonly from: number; readonly to: number };

/** The largest number of spans of which each begins when the one before has ended. */
export function longestChain(spans: readonly Span[]): number {
  let length = 0;
  let endedAt = Number.NEGATIVE_INFINITY;
  // Whatever ends first leaves most room for others.
  for (const { from, to } of spans.toSorted((a, b) => a.to - b.to)) {
    if (from < endedAt) continue;
    length += 1;
    endedAt = to;
  }
  return length;
}

/** How long at least one was under way, in milliseconds. */
export function timeCovered(spans: readonly Span[]): number {
  let covered = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    covered += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return covered;
}
