/**
 * Checks every array in the fleet, reports on each one, and summarizes the results. If one array's check fails, the others are still
 * checked.
 */
import { MARGIN_MS, seconds } from '../core/deadlines.ts';
import { mapLimit } from '../core/map-limit.ts';
import { redactApiTokens } from '../core/redact.ts';
import type { GaugeName } from '../core/reports.ts';
import { isArrayName } from '../core/validation.ts';
import type { Ports } from '../leases/ports.ts';
import { type FleetRequest, MAX_RESULT_BYTES } from '../leases/requests.ts';
import { type ArrayReport, checkArray } from './check-array.ts';

const ARRAYS_AT_A_TIME = 16;
/** Longer text is truncated in the result. The log has the full text. */
const MAX_TEXT_LENGTH = 400;
const MAX_IGNORED_NAMES = 20;

export type FleetResult = {
  /** Number of arrays checked. Unhealthy arrays are listed in `unhealthy`, except those counted in `omitted`. */
  readonly checked: number;
  readonly healthy: number;
  readonly unhealthy: readonly { readonly array: string; readonly code: string; readonly reason: string }[];
  readonly warnings: readonly { readonly array: string; readonly warning: string }[];
  /** Number of our users' active sessions that are not in the ledger, across all arrays that list their sessions. */
  readonly unknownSessions: number;
  /** Number of `unhealthy` and `warnings` entries that did not fit in the result. */
  readonly omitted?: number;
  /** Up to 20 secrets under the prefix that are not checked, because their names are not array names. Listed without the prefix. */
  readonly ignoredSecrets?: readonly string[];
};

/**
 * Checks the arrays named in the request, or all arrays that have a secret. Finishes at least half a second before `deadline` (epoch
 * milliseconds). An array that could not be checked by then is reported as unhealthy with OUT_OF_TIME. Throws SECRET_UNAVAILABLE,
 * AWS_UNAVAILABLE or OUT_OF_TIME, but only if the list of arrays or the ledger cannot be read.
 */
export async function checkFleet(ports: Ports, request: FleetRequest, deadline: number): Promise<FleetResult> {
  const by = deadline - MARGIN_MS;
  const listed = request.arrays ?? (await ports.secrets.list({ by }));
  // Ignore secrets whose names are not array names. They may belong to another stage whose prefix begins with this one.
  const names = listed.filter(isArrayName);
  const others = listed.filter((name) => !isArrayName(name));
  // Read the ledger before any array lists its sessions, so that every known session older than this read has a ledger entry.
  const readAt = seconds(ports.now());
  const pending = Map.groupBy(await ports.store.pending(by), ({ array }) => array);
  const reports = await mapLimit(names, ARRAYS_AT_A_TIME, async (name) => {
    const report = await checkArray(ports, name, { pending: pending.get(name) ?? [], readAt }, deadline);
    logReport(ports, report);
    return report;
  });
  const ignoredSecrets = others.slice(0, MAX_IGNORED_NAMES).map((name) => shorten(redactApiTokens(name)));
  const result = { ...summarize(reports), ...(others.length > 0 && { ignoredSecrets }) };
  const { checked, healthy, unknownSessions } = result;
  if (others.length > 0) {
    const message = `${others.length} secrets under the prefix do not have array names: ${ignoredSecrets.join(', ')}`;
    ports.report({ event: 'SecretsIgnored', message });
  }
  const gauges = { HealthyArrays: healthy, UnhealthyArrays: checked - healthy, UnknownSessions: unknownSessions };
  ports.report({ event: 'FleetChecked', gauges, message: `${healthy} of ${checked} arrays are healthy` });
  return result;
}

function logReport(ports: Ports, report: ArrayReport): void {
  const { array, fault, warnings, certificateDays, apiTokenDays, unknownSessions } = report;
  const gauges = defined({
    ArrayHealthy: fault === undefined ? 1 : 0,
    CertificateDays: certificateDays,
    ApiTokenDays: apiTokenDays,
    UnknownSessions: unknownSessions,
  });
  for (const message of warnings) ports.report({ event: 'ArrayWarned', array, message });
  if (fault === undefined) ports.report({ event: 'ArrayChecked', array, gauges, message: 'healthy' });
  else ports.report({ event: 'ArrayUnhealthy', array, gauges, code: fault.code, message: fault.reason });
}

const defined = (gauges: Partial<Record<GaugeName, number | undefined>>): Partial<Record<GaugeName, number>> =>
  Object.fromEntries(Object.entries(gauges).filter(([, value]) => value !== undefined));

/** Summarizes the reports, in order, in at most `maxBytes` of JSON. */
export function summarize(reports: readonly ArrayReport[], maxBytes = MAX_RESULT_BYTES): FleetResult {
  const unhealthy = reports.flatMap(({ array, fault }) =>
    fault === undefined ? [] : [{ array, code: fault.code, reason: shorten(fault.reason) }],
  );
  const result: FleetResult = {
    checked: reports.length,
    healthy: reports.length - unhealthy.length,
    unhealthy,
    warnings: reports.flatMap(({ array, warnings }) => warnings.map((text) => ({ array, warning: shorten(text) }))),
    unknownSessions: reports.reduce((sum, { unknownSessions = 0 }) => sum + unknownSessions, 0),
  };
  return bytesOf(result) <= maxBytes ? result : omitLines(result, maxBytes);
}

/** Omits entries from the end, warnings first, until the result fits. */
function omitLines({ unhealthy, warnings, ...counts }: FleetResult, maxBytes: number): FleetResult {
  const lines = unhealthy.length + warnings.length;
  let left = maxBytes - bytesOf({ ...counts, unhealthy: [], warnings: [], omitted: lines });
  const fits = (line: object): boolean => {
    left -= bytesOf(line) + ','.length;
    return left >= 0;
  };
  const kept = { unhealthy: unhealthy.filter(fits), warnings: warnings.filter(fits) };
  return { ...counts, ...kept, omitted: lines - kept.unhealthy.length - kept.warnings.length };
}

const shorten = (text: string): string =>
  text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text;

const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value));
