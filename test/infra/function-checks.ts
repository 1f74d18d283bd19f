/** What the functions of a template must be, beyond what CloudFormation's schema asks. */
import { at, differs, type Json, list, type Resource, resourcesOf, type Template, target } from './template.ts';

/** Lambda refuses more, but only when it is deployed. */
const LONGEST_TIMEOUT_SECONDS = 900;
/** A name that tells of a secret in an environment variable, where everybody who may describe a function reads it. */
const SECRET_NAME = /TOKEN|PASSWORD|CREDENTIAL|ACCESS_KEY|SECRET(?!_PREFIX$)/i;
const SECRET_VALUE = /T-[0-9a-f]{8}-|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|-----BEGIN/i;
const INDEPENDENT = /:\d{12}:|\b[a-z]{2}(-gov)?-(north|south|east|west|central)[a-z]*-\d\b/;

export const functionFaults = (template: Template): string[] =>
  resourcesOf(template, 'AWS::Lambda::Function').flatMap(([id, resource]) => [
    ...settingFaults(id, resource.Properties),
    ...roleOfFunctionFaults(template, id, resource),
    ...logGroupFaults(template, id, resource),
    ...environmentFaults(id, at(resource.Properties, 'Environment', 'Variables') ?? {}),
  ]);

const settingFaults = (id: string, properties: { [name: string]: Json }): string[] => {
  const timeout = Number(at(properties, 'Timeout'));
  const name = id.replace(/LambdaFunction$/, '').toLowerCase();
  return [
    ...differs(`${id}: runtime`, at(properties, 'Runtime'), 'nodejs24.x'),
    ...differs(`${id}: architectures`, at(properties, 'Architectures'), ['arm64']),
    ...differs(`${id}: handler`, at(properties, 'Handler'), `dist/functions/${name}.handler`),
    ...differs(`${id}: log format`, at(properties, 'LoggingConfig', 'LogFormat'), 'JSON'),
    ...(Number.isInteger(timeout) && timeout > 0 && timeout <= LONGEST_TIMEOUT_SECONDS
      ? []
      : [`${id}: a time-out of ${timeout} s is not possible`]),
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

const environmentFaults = (id: string, variables: Json): string[] =>
  Object.entries(Object(variables) as { [name: string]: Json }).flatMap(([name, value]) =>
    SECRET_NAME.test(name) || SECRET_VALUE.test(JSON.stringify(value))
      ? [`${id}: the variable ${name} looks like a secret`]
      : [],
  );

/** The template can be deployed to every account and region. */
export const placeFaults = (template: Template): string[] =>
  Object.entries(template.Resources).flatMap(([id, resource]) =>
    list(JSON.stringify(resource)).some((text) => INDEPENDENT.test(String(text)))
      ? [`${id}: names an account or a region`]
      : [],
  );
