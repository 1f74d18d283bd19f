/** Which REST versions an array serves, and how versions are ordered. */

import type { FlashBlade } from '../../ground/model.ts';
import type { Tokens } from '../../ground/redact.ts';
import { answerError, busy, fieldOf, parseJson } from './answers.ts';
import { type CallOptions, httpInfo, type WithHttpInfo } from './calls.ts';
import { type Answer, exchange } from './transport.ts';

/** `tokens`: the array has seen them, and may repeat them. They are redacted. */
export type VersionsOptions = CallOptions & { readonly tokens?: Tokens };

/**
 * The REST versions that an array serves, as it tells them: `GET /api/api_version`, no session needed.
 * Errors: ARRAY_UNSUPPORTED (a FlashArray), ARRAY_BUSY (429, 503), ANSWER_INVALID and those of every call.
 */
export async function apiVersionsWithHttpInfo(
  array: FlashBlade,
  options: VersionsOptions = {},
): Promise<WithHttpInfo<readonly string[]>> {
  const { requestId, tokens = [] } = options;
  const request = { method: 'GET', path: '/api/api_version', requestId };
  const answer = await exchange(array, request, options, { repeatable: true, tokens });
  return { ...httpInfo(answer, tokens), data: versionsOf(array, answer) };
}

/** The versions that an answer tells. Throws ARRAY_UNSUPPORTED, ARRAY_BUSY or ANSWER_INVALID. */
export function versionsOf(array: FlashBlade, answer: Answer): readonly string[] {
  const told = { action: 'a request for its versions', answer };
  if (answer.status === 429 || answer.status === 503) throw busy(array, { ...told, advice: 'it is busy. Try later.' });
  const json = answer.status === 200 ? parseJson(answer.body.toString()) : undefined;
  if (fieldOf(json, 'version') !== undefined) {
    const advice = 'it is a FlashArray, and only FlashBlades are supported. Remove its secret from the fleet.';
    throw answerError('ARRAY_UNSUPPORTED', array, { ...told, advice });
  }
  const versions = fieldOf(json, 'versions');
  if (!isVersions(versions)) {
    const advice = 'that is not a list of REST versions. Check that "host" is a FlashBlade.';
    throw answerError('ANSWER_INVALID', array, { ...told, advice });
  }
  return versions;
}

/** As `apiVersionsWithHttpInfo`, without status and headers. */
export const apiVersions = async (array: FlashBlade, options?: CallOptions): Promise<readonly string[]> =>
  (await apiVersionsWithHttpInfo(array, options)).data;

/** Orders REST versions by number, part by part: 1.9 < 1.10, 1.8 < 1.8.1. For `sort`. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left.split('.').map(Number), right.split('.').map(Number)];
  const parts = Array.from({ length: Math.max(a.length, b.length) }, (_, index) => (a[index] ?? 0) - (b[index] ?? 0));
  return parts.find((difference) => difference !== 0) ?? 0;
}

const isVersions = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((version) => typeof version === 'string' && /^\d{1,5}(\.\d{1,5}){1,2}$/.test(version));
