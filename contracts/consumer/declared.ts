const declared = new Set<string>();

/** Throws if an interaction is declared twice, because Pact would silently drop one. Works only if one worker runs all tests. */
export function declareOnce(key: string): void {
  if (declared.has(key)) throw new Error(`declared twice: ${key}. Give one interaction a different description.`);
  declared.add(key);
}
