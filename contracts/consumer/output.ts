/** Where the consumer tests write their pacts, and what they have written so far. */
import { resolve } from 'node:path';

/** Returns the folder where the consumer tests write their pacts. Set by CONTRACTS_PACT_FOLDER. Default: `dist/contracts/pacts`. */
export const outputFolder = (): string =>
  process.env['CONTRACTS_PACT_FOLDER'] ?? resolve(import.meta.dirname, '../../dist/contracts/pacts');

const declared = new Set<string>();

/** Throws if an interaction is declared twice, because Pact would silently drop one. Works only if one worker runs all tests. */
export function declareOnce(key: string): void {
  if (declared.has(key)) throw new Error(`declared twice: ${key}. Give one interaction a different description.`);
  declared.add(key);
}
