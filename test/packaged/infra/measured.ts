/** Checks that a metric exists: the code emits it, or AWS emits it for a resource of the template. */
import { METRICS } from '../../../lib/lambda/metrics.ts';
import { at, differs, type Json, resourcesOf, type Template } from './template.ts';

/** A metric in an alarm or a widget. `dimensions`: values in the form of `render`, by name; `array: '*'` means every array. */
export type Watched = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
  readonly unit?: string;
};

/** Gauges that are written once per sweep and may be summed like events. */
const ADDS_UP = ['ClosedBySweep'];
const ANY_TIME = /^(p\d{1,2}(\.\d+)?|Average|Minimum|Maximum)$/;

/** Metrics of AWS: the resource type that the dimension names, and the statistics that make sense. */
const OF_AWS: Readonly<Record<string, { type: string; dimension: string; attribute: string; names: object }>> = {
  'AWS/Lambda': {
    type: 'AWS::Lambda::Function',
    dimension: 'FunctionName',
    attribute: '',
    names: { Errors: /^Sum$/, Throttles: /^Sum$/, Invocations: /^Sum$/, Duration: ANY_TIME },
  },
  'AWS/SQS': {
    type: 'AWS::SQS::Queue',
    dimension: 'QueueName',
    attribute: '.QueueName',
    names: { ApproximateNumberOfMessagesVisible: /^Maximum$/, ApproximateAgeOfOldestMessage: /^Maximum$/ },
  },
};

/** The namespace and service under which every function writes its metrics. */
const ours = (template: Template): { namespace: Json | undefined; service: Json | undefined } => {
  const [[, one] = []] = resourcesOf(template, 'AWS::Lambda::Function');
  const variables = at(one?.Properties, 'Environment', 'Variables');
  return {
    namespace: at(variables, 'POWERTOOLS_METRICS_NAMESPACE'),
    service: at(variables, 'POWERTOOLS_SERVICE_NAME'),
  };
};

export const metricFaults = (template: Template, what: string, metric: Watched): string[] => {
  if (metric.namespace === ours(template).namespace) return faultsOfOurs(template, `${what}: ${metric.name}`, metric);
  const service = OF_AWS[metric.namespace];
  if (service === undefined) return [`${what}: nobody emits metrics of the namespace ${metric.namespace}`];
  const statistic: unknown = Reflect.get(service.names, metric.name);
  const targets = resourcesOf(template, service.type).map(([id]) => id + service.attribute);
  const [[dimension, value] = ['', ''], ...more] = Object.entries(metric.dimensions);
  return [
    ...(statistic instanceof RegExp
      ? senseless(`${what}: ${metric.name}`, statistic, metric.statistic)
      : [`${what}: nobody emits ${metric.namespace} ${metric.name}`]),
    ...(dimension === service.dimension && more.length === 0 && targets.includes(value.replace(/^<(.*)>$/, '$1'))
      ? []
      : [`${what}: ${metric.name}: nobody emits it with the dimensions ${JSON.stringify(metric.dimensions)}`]),
  ];
};

const faultsOfOurs = (template: Template, what: string, { name, dimensions, statistic, unit }: Watched): string[] => {
  const metric = METRICS.get(name);
  if (metric === undefined) return [`${what}: nobody emits it`];
  const { service, ...others } = dimensions;
  const perArray = 'array' in others;
  const elsewhere = perArray ? metric.where === 'fleet' : metric.where === 'array';
  const makesSense = {
    event: /^Sum$/,
    duration: ANY_TIME,
    gauge: ADDS_UP.includes(name)
      ? /^Sum$/
      : metric.where === 'all'
        ? /^Minimum$/
        : perArray
          ? /^(Minimum|Maximum)$/
          : /^Maximum$/,
  }[metric.kind];
  return [
    ...differs(`${what}: dimension service`, service, ours(template).service ?? null),
    ...(elsewhere || Object.keys(others).some((key) => key !== 'array')
      ? [`${what}: nobody emits it with the dimensions ${Object.keys(dimensions).join()}`]
      : []),
    ...senseless(what, makesSense, statistic),
    ...(unit === undefined ? [] : differs(`${what}: unit`, unit, metric.unit)),
  ];
};

const senseless = (what: string, sense: RegExp, statistic: string): string[] =>
  sense.test(statistic) ? [] : [`${what}: ${statistic || 'no statistic'} makes no sense`];
