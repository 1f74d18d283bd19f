/** Rules for the functions of a template, beyond CloudFormation's schema. */
import {
  at,
  differs,
  functionName,
  type Json,
  list,
  type Resource,
  resourcesOf,
  type Template,
  target,
} from './template.ts';

/** The time-out of every function, in seconds. Lambda refuses more than 900, but only at deployment. */
const TIMEOUTS: Readonly<Record<string, number>> = {
  login: 30,
  logout: 30,
  'call-array': 30,
  renew: 30,
  'session-events': 60,
  'sweep-sessions': 55,
  'check-fleet': 300,
};
/** Reserved concurrency of scheduled functions. Two sweeps may overlap, because each starts within a window, but never three. */
const RESERVED: Readonly<Record<string, number>> = { 'sweep-sessions': 2, 'check-fleet': 1 };
/** Variables that only these functions have. */
const OWN_VARIABLES: Readonly<Record<string, Json>> = {
  'call-array': { ALLOWED_CALLS: 'GET /api/**' },
  'session-events': { EVENT_BUS: { Ref: 'EventBus' }, DEAD_LETTER_QUEUE: { Ref: 'DeadLetterQueue' } },
};
const OWN = /^(ALLOWED_CALLS|EVENT_BUS|DEAD_LETTER_QUEUE)$/;
/** Names of variables that suggest a secret. Anyone who may describe a function can read its variables. */
const SECRET_NAME = /TOKEN|PASSWORD|CREDENTIAL|ACCESS_KEY|SECRET(?!_PREFIX$)/i;
const SECRET_VALUE = /T-[0-9a-f]{8}-|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|-----BEGIN/i;
const INDEPENDENT = /:\d{12}:|\b[a-z]{2}(-gov)?-(north|south|east|west|central)[a-z]*-\d\b/;

export const functionFaults = (template: Template): string[] => {
  const functions = resourcesOf(template, 'AWS::Lambda::Function');
  const names = functions.map(([id]) => functionName(id)).sort();
  return [
    ...differs('functions', names, Object.keys(TIMEOUTS).sort()),
    ...functions.flatMap(([id, resource]) => [
      ...settingFaults(id, resource.Properties),
      ...roleOfFunctionFaults(template, id, resource),
      ...logGroupFaults(template, id, resource),
      ...environmentFaults(id, at(resource.Properties, 'Environment', 'Variables') ?? {}),
    ]),
  ];
};

const settingFaults = (id: string, properties: { [name: string]: Json }): string[] => {
  const name = functionName(id);
  const memory = Number(at(properties, 'MemorySize'));
  return [
    ...differs(`${id}: runtime`, at(properties, 'Runtime'), 'nodejs24.x'),
    ...differs(`${id}: architectures`, at(properties, 'Architectures'), ['arm64']),
    ...differs(`${id}: handler`, at(properties, 'Handler'), `dist/functions/${name}.handler`),
    ...differs(`${id}: log format`, at(properties, 'LoggingConfig', 'LogFormat'), 'JSON'),
    ...differs(`${id}: time-out`, at(properties, 'Timeout'), TIMEOUTS[name] ?? null),
    ...differs(
      `${id}: reserved concurrency`,
      at(properties, 'ReservedConcurrentExecutions') ?? null,
      RESERVED[name] ?? null,
    ),
    ...(memory >= 512 && memory <= 10_240 ? [] : [`${id}: ${memory} MiB of memory`]),
  ];
};

const roleOfFunctionFaults = (template: Template, id: string, { Properties }: Resource): string[] => {
  const role = target(at(Properties, 'Role'));
  const users = resourcesOf(template, 'AWS::Lambda::Function').filter(
    ([, other]) => target(at(other.Properties, 'Role')) === role,
  );
  if (template.Resources[role]?.Type !== 'AWS::IAM::Role') return [`${id}: its role is not in the template`];
  return users.length > 1 ? [`${id}: shares the role ${role}`] : [];
};

const logGroupFaults = (template: Template, id: string, { Properties }: Resource): string[] => {
  const group = resourcesOf(template, 'AWS::Logs::LogGroup').find(
    ([, { Properties: of }]) => at(of, 'LogGroupName') === `/aws/lambda/${String(at(Properties, 'FunctionName'))}`,
  );
  if (group === undefined) return [`${id}: has no log group`];
  return typeof at(group[1].Properties, 'RetentionInDays') === 'number' ? [] : [`${id}: its logs are kept for ever`];
};

const environmentFaults = (id: string, variables: Json): string[] => {
  const entries = Object.entries(Object(variables) as { [name: string]: Json });
  const own = Object.fromEntries(entries.filter(([name]) => OWN.test(name)));
  return [
    ...differs(`${id}: its own variables`, own, OWN_VARIABLES[functionName(id)] ?? {}),
    ...entries
      .filter(([name, value]) => SECRET_NAME.test(name) || SECRET_VALUE.test(JSON.stringify(value)))
      .map(([name]) => `${id}: the variable ${name} looks like a secret`),
  ];
};

/** The template must work in every account and region. */
export const placeFaults = (template: Template): string[] =>
  Object.entries(template.Resources).flatMap(([id, resource]) =>
    list(JSON.stringify(resource)).some((text) => INDEPENDENT.test(String(text)))
      ? [`${id}: names an account or a region`]
      : [],
  );
