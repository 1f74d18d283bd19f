/** Whether a metric exists: the code emits it, or AWS emits it for a resource of the template. */
import { METRICS } from '../../../../lib/lambda/metrics.ts';
import type { Template } from '../../../kit/packaged.ts';
import { at, differs, idsOf, list } from '../template.ts';
import type { Faults } from './rule.ts';

/** A metric in an alarm or a widget. `dimensions`: values in the form of `render`, by name; `array: '*'` means every array. */
export type Watched = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
  readonly unit?: unknown;
};

/** Gauges that are written once per sweep and may be summed like events. */
const ADDS_UP = ['ClosedBySweep'];
const ANY_TIME = /^(p\d{1,2}(\.\d+)?|Average|Minimum|Maximum)$/;

type OfAws = {
  readonly type: string;
  readonly dimension: string;
  readonly names: Readonly<Record<string, RegExp>>;
  /** Values of further dimensions, by name. Without them, the metric is that of the whole resource. */
  readonly parts?: (template: Template) => Readonly<Record<string, readonly string[]>>;
};
/** Metrics of AWS: the resource type that the dimension names, and the statistics that make sense. */
const OF_AWS: Readonly<Record<string, OfAws>> = {
  'AWS/Lambda': {
    type: 'AWS::Lambda::Function',
    dimension: 'FunctionName',
    names: { Errors: /^Sum$/, Throttles: /^Sum$/, Invocations: /^Sum$/, Duration: ANY_TIME },
  },
  'AWS/DynamoDB': {
    type: 'AWS::DynamoDB::Table',
    dimension: 'TableName',
    names: { ReadThrottleEvents: /^Sum$/, WriteThrottleEvents: /^Sum$/ },
    parts: ({ Resources }) => ({
      GlobalSecondaryIndexName: list(at(Resources, 'LeaseTable/Properties/GlobalSecondaryIndexes')).map((index) =>
        String(at(index, 'IndexName')),
      ),
    }),
  },
  'AWS/States': {
    type: 'AWS::StepFunctions::StateMachine',
    dimension: 'StateMachineArn',
    names: { ExecutionsFailed: /^Sum$/, ExecutionsTimedOut: /^Sum$/ },
  },
  'AWS/SQS': {
    type: 'AWS::SQS::Queue',
    dimension: 'QueueName',
    names: { ApproximateNumberOfMessagesVisible: /^Maximum$/, ApproximateAgeOfOldestMessage: /^Maximum$/ },
  },
};

export function metricFaults(template: Template, what: string, metric: Watched): Faults {
  const { namespace, name, dimensions, statistic } = metric;
  const variables = at(template.Resources, 'LoginLambdaFunction/Properties/Environment/Variables');
  if (namespace === at(variables, 'POWERTOOLS_METRICS_NAMESPACE')) {
    return faultsOfOurs(`${what}: ${name}`, metric, at(variables, 'POWERTOOLS_SERVICE_NAME'));
  }
  const service = OF_AWS[namespace];
  if (service === undefined) return `${what}: nobody emits metrics of the namespace ${namespace}`;
  const sense = service.names[name];
  if (sense === undefined) return `${what}: nobody emits ${namespace} ${name}`;
  // An alarm names a resource as `render` writes it, and a widget in angle brackets.
  const [[dimension, value = ''] = [], ...others] = Object.entries(dimensions);
  const id = value.replace(/^<(.*)>$/, '$1');
  const ids = idsOf(template, service.type).map((one) => (namespace === 'AWS/SQS' ? `${one}.QueueName` : one));
  const parts = service.parts?.(template) ?? {};
  const exists =
    dimension === service.dimension &&
    ids.includes(id) &&
    others.every(([part, value]) => parts[part]?.includes(value) === true);
  return [
    senseless(`${what}: ${name}`, sense, statistic),
    !exists && `${what}: ${name}: nobody emits it with the dimensions ${JSON.stringify(dimensions)}`,
  ];
}

function faultsOfOurs(what: string, { name, dimensions, statistic, unit }: Watched, ourService: unknown): Faults {
  const metric = METRICS.get(name);
  if (metric === undefined) return `${what}: nobody emits it`;
  const { service, array, ...others } = dimensions;
  const perArray = array !== undefined;
  const exists = metric.where !== (perArray ? 'fleet' : 'array') && Object.keys(others).length === 0;
  const ofGauge = metric.where === 'all' ? /^Minimum$/ : perArray ? /^(Minimum|Maximum)$/ : /^Maximum$/;
  const makesSense = {
    event: /^Sum$/,
    duration: ANY_TIME,
    gauge: ADDS_UP.includes(name) ? /^Sum$/ : ofGauge,
  }[metric.kind];
  return [
    differs(`${what}: dimension service`, service, ourService),
    !exists && `${what}: nobody emits it with the dimensions ${Object.keys(dimensions).join()}`,
    senseless(what, makesSense, statistic),
    unit !== undefined && differs(`${what}: unit`, unit, metric.unit),
  ];
}

const senseless = (what: string, sense: RegExp, statistic: string): Faults =>
  !sense.test(statistic) && `${what}: ${statistic || 'no statistic'} makes no sense`;
