/** Compares REST versions. */

/** Compares two versions part by part, as numbers. For example, 1.10 is later than 1.9, and 1.8.1 is between 1.8 and 1.9. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left.split('.').map(Number), right.split('.').map(Number)];
  for (let part = 0; part < Math.max(a.length, b.length); part++) {
    const difference = (a[part] ?? 0) - (b[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Returns true if any of the versions is `wanted` or later. */
export const supports = (versions: readonly string[], wanted: string): boolean =>
  versions.some((version) => compareVersions(version, wanted) >= 0);
