/** Whether a pact agrees with the description of the endpoints that this project wrote down. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Comparator } from '@pactflow/openapi-pact-comparator';
import type { Pact } from '../pact-file.ts';

const OPENAPI_FILE = resolve(import.meta.dirname, '../openapi/flashblade.json');

/** Findings. Warnings count: what the comparator cannot judge is not known to agree. */
export async function checkOpenApi(pact: Pact, openApiFile = OPENAPI_FILE): Promise<string[]> {
  const oas = JSON.parse(readFileSync(openApiFile, 'utf8')) as object;
  const findings: string[] = [];
  for await (const { type, code, message, mockDetails } of new Comparator({ oas }).compare(pact)) {
    if (type === 'info') continue;
    const where = mockDetails?.interactionDescription ?? mockDetails?.location ?? 'the pact';
    findings.push(
      `"${where}" and contracts/openapi/flashblade.json disagree: ${message} (${code}). Change whichever is wrong.`,
    );
  }
  return findings;
}
