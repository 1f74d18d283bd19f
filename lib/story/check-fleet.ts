/** Every array of the fleet, checked; the failure of one stops no other. */
import { eachOf } from '../ground/pool.ts';
import type { GaugeName } from '../ground/reports.ts';
import type { FleetRequest } from '../ground/requests.ts';
import { seconds } from '../ground/time.ts';
import { type ArrayReport, checkArray } from './check-array.ts';
import type { Edges } from './edges.ts';
import { type FleetResult, resultOf } from './fleet-result.ts';

const ARRAYS_AT_A_TIME = 16;
const MARGIN_MS = 500;

/**
 * Checks the arrays that are named, or all that have a secret. Reports each, and answers a summary. `deadline` (epoch, ms): ends half
 * a second before it; arrays whose turn does not come are OUT_OF_TIME. Throws only if fleet or ledger cannot be read
 * (SECRET_UNAVAILABLE, AWS_UNAVAILABLE, OUT_OF_TIME).
 */
export async function checkFleet(edges: Edges, request: FleetRequest, deadline: number): Promise<FleetResult> {
  const by = deadline - MARGIN_MS;
  const names = request.arrays ?? (await edges.secrets.list({ by }));
  // Before any array's list: what is in none of the rows and began before is not known.
  const readAt = seconds(edges.now());
  const rows = Map.groupBy(await edges.leases.pending(by), ({ array }) => array);
  const reports = new Map<string, ArrayReport>();
  await eachOf(names, ARRAYS_AT_A_TIME, async (name) => {
    const report = await checkArray(edges, name, { rows: rows.get(name) ?? [], readAt }, deadline);
    reports.set(name, report);
    tell(edges, report);
  });
  const result = resultOf(names.flatMap((name) => reports.get(name) ?? []));
  const { checked, healthy, unknownSessions } = result;
  const gauges = { HealthyArrays: healthy, UnhealthyArrays: checked - healthy, UnknownSessions: unknownSessions };
  edges.report({ event: 'FleetChecked', gauges, message: `${healthy} of ${checked} arrays are healthy` });
  return result;
}

function tell(edges: Edges, report: ArrayReport): void {
  const { array, fault, warnings, certificateDays, apiTokenDays, unknownSessions } = report;
  const gauges = defined({
    ArrayHealthy: fault === undefined ? 1 : 0,
    CertificateDays: certificateDays,
    ApiTokenDays: apiTokenDays,
    UnknownSessions: unknownSessions,
  });
  for (const message of warnings) edges.report({ event: 'ArrayWarned', array, message });
  if (fault === undefined) edges.report({ event: 'ArrayChecked', array, gauges, message: 'healthy' });
  else edges.report({ event: 'ArrayUnhealthy', array, gauges, code: fault.code, message: fault.reason });
}

const defined = (gauges: Partial<Record<GaugeName, number | undefined>>): Partial<Record<GaugeName, number>> =>
  Object.fromEntries(Object.entries(gauges).filter(([, value]) => value !== undefined));
