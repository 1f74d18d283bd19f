/** The result of a fleet check: counts, and as many details as fit. */
import * as v from 'valibot';
import { fields, whole } from '../core/validation.ts';
import { MAX_RESULT_BYTES } from '../leases/requests.ts';
import type { ArrayReport } from './check-array.ts';

/** Longer texts are truncated in the result. The log has the full text. */
const MAX_TEXT_LENGTH = 400;

export type FleetResult = {
  /** Number of arrays checked. Unhealthy arrays are listed in `unhealthy`, except those counted in `omitted`. */
  readonly checked: number;
  readonly healthy: number;
  /** Number of arrays that were not checked, because time ran out, AWS was unavailable or a part of the check failed. */
  readonly notChecked: number;
  readonly unhealthy: readonly { readonly array: string; readonly code: string; readonly reason: string }[];
  readonly warnings: readonly { readonly array: string; readonly warning: string }[];
  /** Number of our users' active sessions that are not in the ledger, across all arrays that list their sessions. */
  readonly unknownSessions: number;
  /** Number of `unhealthy` and `warnings` entries that did not fit in the result. */
  readonly omitted?: number | undefined;
  /** Up to 20 secrets under the prefix that are not checked, because their names are not array names. Listed without the prefix. */
  readonly ignoredSecrets?: readonly string[];
};

export const count = whole(0, 999_999_999);
const text = v.string('must be a string');

/** The fields of a result that `merge` needs. */
export const resultFields = {
  checked: count,
  healthy: count,
  notChecked: count,
  unhealthy: v.array(fields({ array: text, code: text, reason: text }), 'must be a list'),
  warnings: v.array(fields({ array: text, warning: text }), 'must be a list'),
  unknownSessions: count,
  omitted: v.optional(count),
};

/** Summarizes the reports on healthy and unhealthy arrays, in order. */
export function summarize(reports: readonly ArrayReport[], notChecked = 0): FleetResult {
  const unhealthy = reports.flatMap(({ array, failure }) =>
    failure === undefined ? [] : [{ array, code: failure.code, reason: shorten(failure.reason) }],
  );
  return {
    checked: reports.length,
    healthy: reports.length - unhealthy.length,
    notChecked,
    unhealthy,
    warnings: reports.flatMap(({ array, warnings }) => warnings.map((text) => ({ array, warning: shorten(text) }))),
    unknownSessions: reports.reduce((sum, { unknownSessions = 0 }) => sum + unknownSessions, 0),
  };
}

/** Adds up results about different arrays. */
export function merge(results: readonly FleetResult[]): FleetResult {
  const total = (count: (result: FleetResult) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0);
  const omitted = total((result) => result.omitted ?? 0);
  return {
    checked: total(({ checked }) => checked),
    healthy: total(({ healthy }) => healthy),
    notChecked: total(({ notChecked }) => notChecked),
    unhealthy: results.flatMap(({ unhealthy }) => unhealthy),
    warnings: results.flatMap(({ warnings }) => warnings),
    unknownSessions: total(({ unknownSessions }) => unknownSessions),
    ...(omitted > 0 && { omitted }),
  };
}

/** Returns the result in at most `maxBytes` of JSON: omits entries from the end, warnings first, until it fits. */
export function bounded(result: FleetResult, maxBytes = MAX_RESULT_BYTES): FleetResult {
  if (bytesOf(result) <= maxBytes) return result;
  const { unhealthy, warnings, omitted = 0, ...counts } = result;
  const lines = unhealthy.length + warnings.length;
  let left = maxBytes - bytesOf({ ...counts, unhealthy: [], warnings: [], omitted: omitted + lines });
  const fits = (line: object): boolean => {
    left -= bytesOf(line) + ','.length;
    return left >= 0;
  };
  const kept = { unhealthy: unhealthy.filter(fits), warnings: warnings.filter(fits) };
  return { ...counts, ...kept, omitted: omitted + lines - kept.unhealthy.length - kept.warnings.length };
}

export const shorten = (text: string): string =>
  text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text;

const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value));
