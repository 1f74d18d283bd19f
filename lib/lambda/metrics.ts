/**
 * Writes reports the way Lambda expects them: JSON log lines through Lambda's own logging, and CloudWatch metrics (EMF) through
 * Powertools.
 */
import { Metrics } from '@aws-lambda-powertools/metrics';
import { EVENTS, type EventName, GAUGES, type Report, type Where } from '../core/reports.ts';

const metrics = new Metrics();

/**
 * Writes a report's log line and metrics. Each metric is published with the dimension `service`, with the dimensions `service` and `array`,
 * or with both sets.
 */
export function report(entry: Report): void {
  const { event, message, gauges = {}, ...facts } = entry;
  // Lambda adds the time, level and request id, and drops lines below the function's log level.
  console[EVENTS[event]]({ event, message, ...facts, ...gauges });
  for (const publication of publicationsOf(entry)) {
    for (const scope of publication.scopes) {
      // Powertools adds `service` to every set of dimensions, so an empty set means the fleet.
      metrics.addDimensions(scope === 'array' && facts.array !== undefined ? { array: facts.array } : {});
    }
    for (const { name, unit, value } of publication.metrics) metrics.addMetric(name, unit, value);
    metrics.publishStoredMetrics();
  }
}

/** Duration metrics by event, in milliseconds. */
export const DURATIONS: Partial<Record<EventName, string>> = {
  LoginSucceeded: 'LoginDuration',
  LogoutSucceeded: 'LogoutDuration',
};

/** `fleet` means the dimension `service` alone, which alarms watch. `array` means the dimensions `service` and `array`. */
export type Scope = 'fleet' | 'array';
type Unit = 'Count' | 'Seconds' | 'Milliseconds' | 'None';

/** Events that only carry an array's gauges or an explanation. Counting these events would be meaningless. */
const NOT_COUNTED: readonly string[] = [
  'ArrayCounted',
  'ArrayChecked',
  'ArrayNotChecked',
  'ArrayRemoved',
  'SecretsIgnored',
  'EventIgnored',
] satisfies EventName[];

type Kind = 'event' | 'duration' | 'gauge';
type Definition = { readonly kind: Kind; readonly unit: Unit; readonly where: Where };

/** Every metric, by name. Successes are counted for the fleet only. Failures are rare, so they are also counted per array. */
export const METRICS: ReadonlyMap<string, Definition> = new Map([
  ...Object.entries(EVENTS)
    .filter(([name]) => !NOT_COUNTED.includes(name))
    .map(([name, level]) => defined(name, 'event', 'Count', level === 'info' ? 'fleet' : 'all')),
  ...Object.values(DURATIONS).map((name) => defined(name, 'duration', 'Milliseconds', 'fleet')),
  ...Object.entries(GAUGES).map(([name, [unit, where]]) => defined(name, 'gauge', unit, where)),
]);

function defined(name: string, kind: Kind, unit: Unit, where: Where): [string, Definition] {
  return [name, { kind, unit, where }];
}

type Measured = { readonly name: string; readonly unit: Unit; readonly value: number };
/** Metrics that are published together, because they have the same scopes. */
type Publication = { readonly scopes: readonly Scope[]; readonly metrics: readonly Measured[] };

/** Returns a report's metrics: its event, duration and gauges. */
export function publicationsOf({ event, durationMs, array, gauges = {} }: Report): Publication[] {
  const values = { [event]: 1, [DURATIONS[event] ?? '']: durationMs, ...gauges };
  const publications = new Map<string, { scopes: readonly Scope[]; metrics: Measured[] }>();
  for (const [name, value] of Object.entries(values)) {
    const definition = METRICS.get(name);
    if (definition === undefined || value === undefined) continue;
    const scopes = scopesOf(definition.where, array !== undefined);
    const publication = publications.get(scopes.join()) ?? { scopes, metrics: [] };
    publication.metrics.push({ name, unit: definition.unit, value });
    publications.set(scopes.join(), publication);
  }
  return [...publications.values()];
}

function scopesOf(where: Where, hasArray: boolean): readonly Scope[] {
  if (where === 'fleet' || !hasArray) return ['fleet'];
  return where === 'all' ? ['fleet', 'array'] : ['array'];
}
