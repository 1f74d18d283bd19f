/** Reports as Lambda wants them: a structured log line (JSON) and CloudWatch metrics (EMF), by Powertools. For functions only. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { EVENTS, type Report } from '../ground/reports.ts';
import { publicationsOf } from './metrics.ts';

const logger = new Logger();
const metrics = new Metrics();

/** Log lines of this invocation carry its request id. */
export const beginInvocation = (context: Context): void => logger.addContext(context);

/** One log line, and the metrics of the report under the dimension `service`, or `service` and `array`, or both. */
export function report(told: Report): void {
  const { event, message, gauges = {}, ...facts } = told;
  logger[EVENTS[event]](message, { event, ...facts, ...gauges });
  for (const publication of publicationsOf(told)) {
    // Powertools adds `service` to every set: an empty one is the fleet's.
    for (const scope of publication.scopes) {
      metrics.addDimensions(scope === 'array' && facts.array !== undefined ? { array: facts.array } : {});
    }
    for (const { name, unit, value } of publication.metrics) metrics.addMetric(name, unit, value);
    metrics.publishStoredMetrics();
  }
}
