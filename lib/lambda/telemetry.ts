/** Reports as Lambda wants them: a log line by its own logging (JSON), and CloudWatch metrics (EMF) by Powertools. For functions only. */
import { Metrics } from '@aws-lambda-powertools/metrics';
import { EVENTS, type Report } from '../ground/reports.ts';
import { publicationsOf } from './metrics.ts';

const metrics = new Metrics();

/**
 * One log line with the report as its `message`, and the metrics of the report under the dimension `service`, or `service` and
 * `array`, or both.
 */
export function report(told: Report): void {
  const { event, message, gauges = {}, ...facts } = told;
  // Lambda adds time, level and the invocation's request id, and keeps back what is below the function's log level.
  console[EVENTS[event]]({ event, message, ...facts, ...gauges });
  for (const publication of publicationsOf(told)) {
    // Powertools adds `service` to every set: an empty one is the fleet's.
    for (const scope of publication.scopes) {
      metrics.addDimensions(scope === 'array' && facts.array !== undefined ? { array: facts.array } : {});
    }
    for (const { name, unit, value } of publication.metrics) metrics.addMetric(name, unit, value);
    metrics.publishStoredMetrics();
  }
}
