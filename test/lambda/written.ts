/** What code writes to stdout and stderr in this process, from now on to the end of the test; nothing of it is shown. */
import { onTestFinished, vi } from 'vitest';
import { type Line, linesOf, metricLinesOf, metricsOf } from '../functions/logs.ts';

export type Written = {
  /** Log lines of the product, without metrics. */
  readonly lines: () => Line[];
  /** `name value unit {dimension=value …}` of every metric, without its namespace. */
  readonly metrics: () => string[];
};

export function written(): Written {
  const chunks: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      chunks.push(String(chunk));
      return true;
    }),
  );
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  const output = (): string => chunks.filter((chunk) => chunk.startsWith('{')).join('');
  return {
    lines: () => linesOf(output()).filter((line) => !('_aws' in line)),
    metrics: () =>
      metricLinesOf(output())
        .flatMap(metricsOf)
        .map((metric) => metric.slice(metric.indexOf(' ') + 1)),
  };
}
