import { resolve } from 'node:path';

/** Returns the folder where the consumer tests write their pacts. Set by CONTRACTS_PACT_FOLDER. Default: `dist/contracts/pacts`. */
export const outputFolder = (): string =>
  process.env['CONTRACTS_PACT_FOLDER'] ?? resolve(import.meta.dirname, '../../dist/contracts/pacts');
