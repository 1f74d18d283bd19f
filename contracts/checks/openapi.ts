/** Checks that a pact agrees with this project's OpenAPI description of the endpoints. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Comparator } from '@pactflow/openapi-pact-comparator';
import type { Pact } from '../pact-file.ts';

const OPENAPI_FILE = resolve(import.meta.dirname, '../openapi/flashblade.json');

/** Returns findings, including warnings. A warning means that the comparator could not check something. */
export async function checkOpenApi(pact: Pact, openApiFile = OPENAPI_FILE): Promise<string[]> {
  const oas = JSON.parse(readFileSync(openApiFile, 'utf8')) as object;
  const findings: string[] = [];
  for await (const { type, code, message, mockDetails } of new Comparator({ oas }).compare(pact)) {
    if (type === 'info') continue;
    const where = mockDetails?.interactionDescription ?? mockDetails?.location ?? 'the pact';
    findings.push(
      `"${where}" and contracts/openapi/flashblade.json disagree: ${message} (${code}). Fix whichever is wrong.`,
    );
  }
  return findings;
}
