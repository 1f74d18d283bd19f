import { resolve } from 'node:path';

/** Where the consumer tests write their pact: CONTRACTS_PACT_FOLDER, default `dist/contracts/pacts`. */
export const outputFolder = (): string =>
  process.env['CONTRACTS_PACT_FOLDER'] ?? resolve(import.meta.dirname, '../../dist/contracts/pacts');
