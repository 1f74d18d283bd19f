/**
 * Checks arrays, reports on each one, and summarizes the results. If one array's check fails, the others are still checked. An array that could
 * not be checked, because time ran out or AWS was unavailable, is counted apart, because nothing is known about it.
 */
import { MARGIN_MS, seconds } from '../core/deadlines.ts';
import { mapLimit } from '../core/map-limit.ts';
import { redactApiTokens } from '../core/redact.ts';
import type { GaugeName } from '../core/reports.ts';
import { isArrayName } from '../core/validation.ts';
import type { Ports } from '../leases/ports.ts';
import type { FleetRequest } from '../leases/requests.ts';
import { ARRAY_MS, type ArrayReport, checkArray } from './check-array.ts';
import { bounded, type FleetResult, shorten, summarize } from './result.ts';

export type { FleetResult };

const ARRAYS_AT_A_TIME = 16;
const MAX_IGNORED_NAMES = 20;

/**
 * Checks the arrays named in the request, or all arrays that have a secret, in one invocation. Finishes at least half a second before
 * `deadline` (epoch milliseconds). Throws SECRET_UNAVAILABLE, AWS_UNAVAILABLE or OUT_OF_TIME, but only if the list of arrays or the ledger
 * cannot be read.
 */
export async function checkFleet(ports: Ports, { arrays }: FleetRequest, deadline: number): Promise<FleetResult> {
  const { names, ignoredSecrets } = await listArrays(ports, { arrays, by: deadline - MARGIN_MS });
  const { reports, missed } = await checkArrays(ports, names, { deadline, listed: arrays === undefined });
  giveUp(ports, missed);
  const ignored = ignoredSecrets.length > 0 && { ignoredSecrets };
  return reportFleet(ports, { ...bounded(summarize(reports, missed.size)), ...ignored });
}

/**
 * Returns `arrays`, or the names of all arrays that have a secret, sorted. A secret that `login` cannot name is not an array. It may belong to
 * another stage whose prefix begins with this one, so it is reported and left alone.
 */
export async function listArrays(
  ports: Ports,
  { arrays, by }: { arrays?: readonly string[] | undefined; by: number },
): Promise<{ names: readonly string[]; ignoredSecrets: readonly string[] }> {
  const listed = arrays ?? (await ports.secrets.list({ by }));
  const others = listed.filter((name) => !isArrayName(name));
  const ignoredSecrets = others.slice(0, MAX_IGNORED_NAMES).map((name) => shorten(redactApiTokens(name)));
  if (others.length > 0) {
    const message = `${others.length} secrets under the prefix do not have array names: ${ignoredSecrets.join(', ')}`;
    ports.report({ event: 'SecretsIgnored', message });
  }
  return { names: listed.filter(isArrayName), ignoredSecrets };
}

/** Why an array was not checked. Undefined if its check did not begin. */
type Missed = ReadonlyMap<string, ArrayReport['failure']>;

/**
 * Checks arrays until too little time is left for another one, and reports on each. The results are in the order of `names`. `missed` are the
 * arrays that were not checked. If `names` comes from a list of secrets, an array whose secret was deleted after that is left out of both.
 */
export async function checkArrays(
  ports: Ports,
  names: readonly string[],
  { deadline, listed }: { deadline: number; listed: boolean },
): Promise<{ reports: readonly ArrayReport[]; missed: Missed }> {
  // Read the ledger before any array lists its sessions, so that every known session older than this read has a ledger entry.
  const readAt = seconds(ports.now());
  const pending = Map.groupBy(await ports.store.pending(deadline - MARGIN_MS), ({ array }) => array);
  const reports = new Map<string, ArrayReport>();
  const missed = new Map(names.map((name): [string, ArrayReport['failure']] => [name, undefined]));
  await mapLimit(fromAnywhere(names, ports.random()), ARRAYS_AT_A_TIME, async (name) => {
    // Every array gets the same time, so that no array is unhealthy only because its turn came late.
    if (deadline - ports.now() < ARRAY_MS) return;
    const report = await checkArray(ports, name, { pending: pending.get(name) ?? [], readAt }, deadline);
    const { state, failure } = report;
    if (state === 'not checked') return void missed.set(name, failure);
    missed.delete(name);
    if (state === 'removed' && listed) {
      const message = 'the secret was deleted, so the array is left out';
      return ports.report({ event: 'ArrayRemoved', array: name, message });
    }
    logReport(ports, report);
    reports.set(name, report);
  });
  return { reports: names.flatMap((name) => reports.get(name) ?? []), missed };
}

/** Reports each array that was not checked. */
export function giveUp(ports: Ports, missed: Missed): void {
  for (const [array, failure = NOT_REACHED] of missed) {
    ports.report({ event: 'ArrayNotChecked', array, code: failure.code, message: failure.reason });
  }
}

const NOT_REACHED = { code: 'OUT_OF_TIME', reason: 'time ran out before the check of this array began' } as const;

/** Starts the list at a random name. If checks keep running out of time, they do not always miss the same arrays. */
const fromAnywhere = (names: readonly string[], random: number): readonly string[] => {
  const first = Math.floor(random * names.length);
  return [...names.slice(first), ...names.slice(0, first)];
};

/** Reports the result of a whole check: one set of metrics for the fleet. Returns the result. */
export function reportFleet(ports: Ports, result: FleetResult): FleetResult {
  const { checked, healthy, notChecked, unknownSessions } = result;
  const gauges = {
    HealthyArrays: healthy,
    UnhealthyArrays: checked - healthy,
    UncheckedArrays: notChecked,
    UnknownSessions: unknownSessions,
  };
  const others = notChecked > 0 ? `, and ${notChecked} were not checked` : '';
  ports.report({ event: 'FleetChecked', gauges, message: `${healthy} of ${checked} arrays are healthy${others}` });
  return result;
}

function logReport(ports: Ports, report: ArrayReport): void {
  const { array, failure, warnings, certificateDays, apiTokenDays, unknownSessions } = report;
  const gauges = defined({
    ArrayHealthy: failure === undefined ? 1 : 0,
    CertificateDays: certificateDays,
    ApiTokenDays: apiTokenDays,
    UnknownSessions: unknownSessions,
  });
  for (const message of warnings) ports.report({ event: 'ArrayWarned', array, message });
  if (failure === undefined) ports.report({ event: 'ArrayChecked', array, gauges, message: 'healthy' });
  else ports.report({ event: 'ArrayUnhealthy', array, gauges, code: failure.code, message: failure.reason });
}

const defined = (gauges: Partial<Record<GaugeName, number | undefined>>): Partial<Record<GaugeName, number>> =>
  Object.fromEntries(Object.entries(gauges).filter(([, value]) => value !== undefined));
