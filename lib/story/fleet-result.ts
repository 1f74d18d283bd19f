/** What a check of the fleet answers: small enough for a state of Step Functions, however many arrays are down. */
import type { ArrayReport } from './check-array.ts';

/** Step Functions bears 256 KiB of a state; the caller has something of its own in it. */
export const MAX_RESULT_BYTES = 240 * 1024;
const SHORTEST = 50;
/** Texts are cut to the first of these lengths with which the result is small enough. The whole text is in the log. */
const TEXT_LENGTHS = [400, 200, 100, SHORTEST];

export type FleetResult = {
  /** Every array that was asked for: `healthy` and those in `unhealthy`. */
  readonly checked: number;
  readonly healthy: number;
  readonly unhealthy: readonly { readonly array: string; readonly code: string; readonly reason: string }[];
  readonly warnings: readonly { readonly array: string; readonly warning: string }[];
  /** Active sessions of our users, on all arrays that tell theirs, that the ledger does not know. */
  readonly unknownSessions: number;
  /** Lines of the two lists that had to be left out. */
  readonly omitted?: number;
};

/** Sums up the reports, in their order. */
export function resultOf(reports: readonly ArrayReport[], maxBytes = MAX_RESULT_BYTES): FleetResult {
  const faulty = reports.flatMap(({ array, fault }) => (fault === undefined ? [] : [{ array, ...fault }]));
  const result = {
    checked: reports.length,
    healthy: reports.length - faulty.length,
    unhealthy: faulty,
    warnings: reports.flatMap(({ array, warnings }) => warnings.map((warning) => ({ array, warning }))),
    unknownSessions: reports.reduce((sum, { unknownSessions = 0 }) => sum + unknownSessions, 0),
  };
  return (
    TEXT_LENGTHS.map((length) => cut(result, length)).find((one) => bytesOf(one) <= maxBytes) ?? omit(result, maxBytes)
  );
}

const cut = (result: FleetResult, length: number): FleetResult => ({
  ...result,
  unhealthy: result.unhealthy.map((line) => ({ ...line, reason: shortened(line.reason, length) })),
  warnings: result.warnings.map((line) => ({ ...line, warning: shortened(line.warning, length) })),
});

/** Leaves out lines from the end, warnings first. */
function omit(whole: FleetResult, maxBytes: number): FleetResult {
  const { unhealthy, warnings, ...counts } = cut(whole, SHORTEST);
  let left =
    maxBytes - bytesOf({ ...counts, unhealthy: [], warnings: [], omitted: unhealthy.length + warnings.length });
  const fits = (line: object): boolean => {
    left -= bytesOf(line) + 1;
    return left >= 0;
  };
  const [kept, keptWarnings] = [unhealthy.filter(fits), warnings.filter(fits)];
  const omitted = unhealthy.length + warnings.length - kept.length - keptWarnings.length;
  return { ...counts, unhealthy: kept, warnings: keptWarnings, omitted };
}

const shortened = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value));
