/** Captures everything that this process logs and writes until the test ends, and keeps it off the screen. */
import { onTestFinished, vi } from 'vitest';
import { type Line, metricLinesOf, metricsOf } from '../../packaged/functions/logs.ts';

export type Written = {
  /** The log lines, each with its level. */
  readonly lines: () => Line[];
  /** Every metric as `name value unit {dimension=value …}`, without its namespace. */
  readonly metrics: () => string[];
};

const LEVELS = ['info', 'warn', 'error'] as const;

export function written(): Written {
  const logged: Line[] = [];
  const chunks: string[] = [];
  const spies = [
    ...LEVELS.map((level) => vi.spyOn(console, level).mockImplementation((line) => logged.push({ level, ...line }))),
    ...[process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((chunk) => {
        chunks.push(String(chunk));
        return true;
      }),
    ),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return {
    lines: () => logged,
    metrics: () =>
      metricLinesOf(chunks.filter((chunk) => chunk.startsWith('{')).join(''))
        .flatMap(metricsOf)
        .map((metric) => metric.slice(metric.indexOf(' ') + 1)),
  };
}
