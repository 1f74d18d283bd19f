/** Reports as Lambda wants them: a structured log line (JSON) and CloudWatch metrics (EMF), by Powertools. For functions only. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { EVENTS, type EventName, GAUGES, type GaugeName, type Report } from '../ground/reports.ts';

const logger = new Logger();
const metrics = new Metrics();

/** Metric of an event's duration, where one is told; in milliseconds. */
export const DURATIONS: Partial<Record<EventName, string>> = {
  LoginSucceeded: 'LoginDuration',
  LogoutSucceeded: 'LogoutDuration',
};

/** Log lines of this invocation carry its request id. */
export const beginInvocation = (context: Context): void => logger.addContext(context);

/** One log line, and the event as a metric of its name. Dimensions: `service` and `array` (`none` where no array is known). */
export function report({ event, message, gauges = {}, ...facts }: Report): void {
  logger[EVENTS[event]](message, { event, ...facts, ...gauges });
  metrics.addDimension('array', facts.array ?? 'none');
  metrics.addMetric(event, MetricUnit.Count, 1);
  const duration = DURATIONS[event];
  if (duration && facts.durationMs !== undefined)
    metrics.addMetric(duration, MetricUnit.Milliseconds, facts.durationMs);
  for (const [name, value] of Object.entries(gauges)) metrics.addMetric(name, GAUGES[name as GaugeName], value);
  metrics.publishStoredMetrics();
}
