/** A map with a bound: what was used longest ago goes first. */

/** Stores `value` as the most recently used one. Returns the value that had to go, if the map held more than `max`. */
export function remember<Value>(map: Map<string, Value>, key: string, value: Value, max: number): Value | undefined {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map;
  if (map.size <= max || oldest === undefined) return undefined;
  map.delete(oldest[0]);
  return oldest[1];
}
