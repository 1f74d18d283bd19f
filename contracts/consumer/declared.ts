const declared = new Set<string>();

/** Throws if an interaction is declared twice: Pact would silently keep one of the two. One worker runs all tests. */
export function declareOnce(key: string): void {
  if (declared.has(key)) throw new Error(`declared twice: ${key}. Give one of the two another description.`);
  declared.add(key);
}
