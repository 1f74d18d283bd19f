/** The metrics of a report, and under which dimensions each is published. A metric is paid for per name and set of dimensions. */
import { EVENTS, type EventName, GAUGES, type GaugeName, type Report } from '../ground/reports.ts';

/** Metric of an event's duration, where one is told; in milliseconds. */
export const DURATIONS: Partial<Record<EventName, string>> = {
  LoginSucceeded: 'LoginDuration',
  LogoutSucceeded: 'LogoutDuration',
};

/** `fleet`: the dimension `service` alone, which alarms watch. `array`: `service` and `array`. */
export type Scope = 'fleet' | 'array';
type Unit = 'Count' | 'Seconds' | 'Milliseconds' | 'None';

/**
 * - `fleet`: for the fleet only, whichever array it is of.
 * - `array`: per array only.
 * - `each`: for what the report is of. Array and fleet are reported one by one: publishing an array's for the fleet would count twice.
 * - `all`: an array's for the fleet, too.
 */
type Where = 'fleet' | 'array' | 'each' | 'all';

const OF_GAUGES: Readonly<Record<GaugeName, Where>> = {
  LiveLeases: 'each',
  StuckLeases: 'each',
  Suspects: 'each',
  ExpiredLeases: 'fleet',
  ClosedBySweep: 'fleet',
  LeftBySweep: 'fleet',
  OldestDueAge: 'fleet',
  ArrayHealthy: 'array',
  // The lowest of all is what counts, and it is reported nowhere else.
  CertificateDays: 'all',
  ApiTokenDays: 'all',
  UnknownSessions: 'each',
  HealthyArrays: 'fleet',
  UnhealthyArrays: 'fleet',
};

/** These bring an array's gauges; how many of them there were tells nothing. */
const NOT_COUNTED: readonly string[] = ['ArrayCounted', 'ArrayChecked'] satisfies EventName[];

type Kind = 'event' | 'duration' | 'gauge';
type Definition = { readonly kind: Kind; readonly unit: Unit; readonly where: Where };

/** Every metric by its name. What goes well is counted for the fleet; what goes wrong, and so is rare, per array besides. */
export const METRICS: ReadonlyMap<string, Definition> = new Map([
  ...Object.entries(EVENTS)
    .filter(([name]) => !NOT_COUNTED.includes(name))
    .map(([name, level]) => defined(name, 'event', 'Count', level === 'info' ? 'fleet' : 'all')),
  ...Object.values(DURATIONS).map((name) => defined(name, 'duration', 'Milliseconds', 'fleet')),
  ...Object.entries(GAUGES).map(([name, unit]) => defined(name, 'gauge', unit, OF_GAUGES[name as GaugeName])),
]);

function defined(name: string, kind: Kind, unit: Unit, where: Where): [string, Definition] {
  return [name, { kind, unit, where }];
}

export type Measured = { readonly name: string; readonly unit: Unit; readonly value: number };
/** What is published together, under the same sets of dimensions. */
export type Publication = { readonly scopes: readonly Scope[]; readonly metrics: readonly Measured[] };

/** The metrics of one report: its event, its duration, its gauges. */
export function publicationsOf({ event, durationMs, array, gauges = {} }: Report): Publication[] {
  const values = { [event]: 1, [DURATIONS[event] ?? '']: durationMs, ...gauges };
  const bySets = new Map<string, { scopes: readonly Scope[]; metrics: Measured[] }>();
  for (const [name, value] of Object.entries(values)) {
    const definition = METRICS.get(name);
    if (definition === undefined || value === undefined) continue;
    const scopes = scopesOf(definition.where, array !== undefined);
    const together = bySets.get(scopes.join()) ?? { scopes, metrics: [] };
    together.metrics.push({ name, unit: definition.unit, value });
    bySets.set(scopes.join(), together);
  }
  return [...bySets.values()];
}

function scopesOf(where: Where, ofArray: boolean): readonly Scope[] {
  if (where === 'fleet' || !ofArray) return ['fleet'];
  return where === 'all' ? ['fleet', 'array'] : ['array'];
}
