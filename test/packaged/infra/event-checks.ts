/** Checks the path of an event through rules, queue and function, and the destinations of failures. */
import { DETAIL_TYPES, EXECUTION_DETAIL_TYPE, EXECUTION_ENDS, EXECUTION_SOURCE } from '../../../lib/leases/events.ts';
import { at, differs, functionName, type Json, list, render, resourcesOf, type Template, target } from './template.ts';

const TWO_WEEKS_SECONDS = 14 * 86_400;
const FUNCTION = 'SessionDasheventsLambdaFunction';

const properties = (template: Template, id: string): { [name: string]: Json } =>
  template.Resources[id]?.Properties ?? {};

export const eventFaults = (template: Template): string[] => [
  ...ruleFaults(template),
  ...queueFaults(template),
  ...queuePolicyFaults(template),
  ...mappingFaults(template),
  ...failureFaults(template),
];

const ruleFaults = (template: Template): string[] => {
  const request = properties(template, 'RequestRule');
  const execution = properties(template, 'ExecutionRule');
  const prefix = String(at(execution, 'EventPattern', 'detail', 'stateMachineArn', 0, 'prefix'));
  return [
    ...differs('RequestRule: bus', at(request, 'EventBusName'), { Ref: 'EventBus' }),
    ...differs('RequestRule: pattern', at(request, 'EventPattern'), {
      'detail-type': [DETAIL_TYPES.requested, DETAIL_TYPES.released],
    }),
    ...differs('ExecutionRule: bus, the default one', at(execution, 'EventBusName') ?? null, null),
    ...differs('ExecutionRule: pattern', at(execution, 'EventPattern'), {
      source: [EXECUTION_SOURCE],
      'detail-type': [EXECUTION_DETAIL_TYPE],
      detail: { status: [...EXECUTION_ENDS], stateMachineArn: [{ prefix }] },
    }),
    ...(prefix.startsWith('arn:') ? [] : [`ExecutionRule: ${prefix} begins no ARN`]),
    ...resourcesOf(template, 'AWS::Events::Rule').flatMap(([id, rule]) => [
      ...differs(`${id}: targets`, list(at(rule.Properties, 'Targets')).map(targetOf), [
        'RequestQueue.Arn, else DeadLetterQueue.Arn',
      ]),
      ...differs(`${id}: state`, at(rule.Properties, 'State') ?? 'ENABLED', 'ENABLED'),
    ]),
  ];
};

const targetOf = (to: Json): string => `${render(at(to, 'Arn'))}, else ${render(at(to, 'DeadLetterConfig', 'Arn'))}`;

const queueFaults = (template: Template): string[] => {
  const queue = properties(template, 'RequestQueue');
  const visible = Number(at(queue, 'VisibilityTimeout'));
  const needed = 6 * Number(at(properties(template, FUNCTION), 'Timeout'));
  return [
    ...differs('RequestQueue: after failures', at(queue, 'RedrivePolicy'), {
      deadLetterTargetArn: { 'Fn::GetAtt': ['DeadLetterQueue', 'Arn'] },
      maxReceiveCount: 5,
    }),
    ...(visible >= needed ? [] : [`RequestQueue: a visibility time-out of ${visible} s is less than ${needed} s`]),
    ...['DeadLetterQueue', 'FailedInvocationQueue'].flatMap((id) =>
      differs(`${id}: keeps`, at(properties(template, id), 'MessageRetentionPeriod'), TWO_WEEKS_SECONDS),
    ),
    ...resourcesOf(template, 'AWS::SQS::Queue').flatMap(([id, one]) =>
      differs(`${id}: encryption`, at(one.Properties, 'SqsManagedSseEnabled'), true),
    ),
  ];
};

/** The queue policies let only our two rules write. */
const queuePolicyFaults = (template: Template): string[] => {
  const policies = resourcesOf(template, 'AWS::SQS::QueuePolicy').flatMap(([, policy]) =>
    list(at(policy.Properties, 'PolicyDocument', 'Statement')),
  );
  const arn = (id: string): Json => ({ 'Fn::GetAtt': [id, 'Arn'] });
  return differs('queue policies', policies, [
    {
      Sid: 'FromTheRules',
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: [arn('RequestQueue'), arn('DeadLetterQueue')],
      Condition: { ArnEquals: { 'aws:SourceArn': [arn('RequestRule'), arn('ExecutionRule')] } },
    },
  ]);
};

const mappingFaults = (template: Template): string[] => {
  const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').map(([, mapping]) => mapping.Properties);
  const [mapping, ...others] = mappings;
  if (mapping === undefined || others.length > 0) return ['there must be one event source mapping'];
  const concurrency = Number(at(mapping, 'ScalingConfig', 'MaximumConcurrency'));
  return [
    ...differs('mapping: from', render(at(mapping, 'EventSourceArn')), 'RequestQueue.Arn'),
    ...differs('mapping: to', target(at(mapping, 'FunctionName')), FUNCTION),
    ...differs('mapping: batch', at(mapping, 'BatchSize'), 10),
    ...differs('mapping: answer', at(mapping, 'FunctionResponseTypes'), ['ReportBatchItemFailures']),
    ...differs('mapping: enabled', at(mapping, 'Enabled'), true),
    ...(concurrency >= 2 && concurrency <= 1000 ? [] : [`mapping: a concurrency of ${concurrency} is not possible`]),
  ];
};

/** Every failed invocation is kept: by the queue, or in the configured failure destination. */
const failureFaults = (template: Template): string[] => {
  const configurations = resourcesOf(template, 'AWS::Lambda::EventInvokeConfig').map(([, one]) => one.Properties);
  return resourcesOf(template, 'AWS::Lambda::Function')
    .filter(([id]) => id !== FUNCTION)
    .flatMap(([id]) => {
      const own = configurations.find((one) => target(at(one, 'FunctionName')) === id);
      const destination = render(at(own, 'DestinationConfig', 'OnFailure', 'Destination'));
      const retries = at(own, 'MaximumRetryAttempts');
      const repeatable = !['call-array', 'sweep-sessions', 'check-fleet'].includes(functionName(id));
      return [
        ...differs(`${id}: what failed goes`, destination, 'FailedInvocationQueue.Arn'),
        ...differs(`${id}: repetitions by Lambda`, retries ?? null, repeatable ? null : 0),
      ];
    });
};
