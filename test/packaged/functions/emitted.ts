/** Metrics that functions write, and metrics that the code declares: `<name> <unit> <dimensions>`. */
import { METRICS, type Scope } from '../../../lib/lambda/metrics.ts';
import { metricLinesOf } from './logs.ts';

const DIMENSIONS: Readonly<Record<Scope, string>> = { fleet: 'service', array: 'service,array' };

const SCOPES = { fleet: ['fleet'], array: ['array'], each: ['fleet', 'array'], all: ['fleet', 'array'] } as const;

/** All declared metrics, of every kind or of one. */
export const possible = (kind?: 'event' | 'duration' | 'gauge'): string[] =>
  [...METRICS]
    .filter(([, metric]) => kind === undefined || metric.kind === kind)
    .flatMap(([name, { unit, where }]) => SCOPES[where].map((scope) => `${name} ${unit} ${DIMENSIONS[scope]}`))
    .sort();

/** All metrics that were written, without duplicates. */
export const emitted = (output: string): string[] => {
  const lines = metricLinesOf(output).flatMap((line) => line._aws?.CloudWatchMetrics ?? []);
  const all = lines.flatMap(({ Metrics, Dimensions }) =>
    Metrics.flatMap(({ Name, Unit }) => Dimensions.map((names) => `${Name} ${Unit} ${names.join()}`)),
  );
  return [...new Set(all)].sort();
};
