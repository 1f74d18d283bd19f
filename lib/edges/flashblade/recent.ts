/** A map with a bound: what was used longest ago goes first. */

/** How many arrays and trusts are remembered. */
export const MAX_REMEMBERED = 1024;

/** Stores `value` as the most recently used one. */
export function remember<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
