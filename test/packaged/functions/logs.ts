/** Parses what a function writes line by line: log lines and metrics. */

export type Line = Readonly<Record<string, unknown>> & { readonly event?: string; readonly _aws?: Metrics };

type Metrics = {
  readonly Timestamp: number;
  readonly CloudWatchMetrics: readonly {
    readonly Namespace: string;
    readonly Dimensions: readonly (readonly string[])[];
    readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
  }[];
};

/** Every line parsed as JSON. Throws if a line is not JSON. */
export const linesOf = (output: string): Line[] =>
  output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

/** The log lines of an event, with the line's level and the invocation's request id. */
export const eventsOf = (output: string, event: string): Line[] =>
  linesOf(output)
    .map(({ message, level, requestId }) => ({ ...Object(message), level, invocation: requestId }) as Line)
    .filter((line) => line.event === event);

export const metricLinesOf = (output: string): Line[] => linesOf(output).filter((line) => '_aws' in line);

/** `name value unit {dimension=value …}` of every metric in the line. Throws unless the line is in embedded metric format. */
export function metricsOf(line: Line): string[] {
  const { Timestamp = undefined, CloudWatchMetrics = [] } = line._aws ?? {};
  if (!Number.isInteger(Timestamp)) throw new Error('Timestamp must be whole milliseconds');
  return CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Metrics.map(({ Name, Unit }) => {
      const dimensions = Dimensions.map((names) => names.map((name) => `${name}=${textOf(line, name)}`).join(' '));
      return `${Namespace} ${Name} ${numberOf(line, Name)} ${Unit} {${dimensions.join('; ')}}`;
    }),
  );
}

function textOf(line: Line, name: string): string {
  const value = line[name];
  if (typeof value !== 'string' || value === '') throw new Error(`dimension ${name} must be a text`);
  return value;
}

function numberOf(line: Line, name: string): number {
  const value = line[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`metric ${name} must be a number`);
  return value;
}
