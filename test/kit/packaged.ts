/**
 * The output of `npm run package`: the compiled CloudFormation template, the functions' zips, and each function's configuration. The
 * test setup creates the output once.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const PACKAGED = resolve(import.meta.dirname, '../../.serverless');

export const FUNCTIONS = [
  'login',
  'logout',
  'call-array',
  'renew',
  'session-events',
  'sweep-sessions',
  'check-fleet',
] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export type Resource = { readonly Type: string; readonly Properties: Record<string, unknown> };
export type Template = { readonly Resources: Record<string, Resource> };
export type Variables = Readonly<Record<string, string>>;

export const templatePath = (packaged = PACKAGED): string =>
  resolve(packaged, 'cloudformation-template-update-stack.json');

/** The compiled CloudFormation template. */
export const template = (packaged = PACKAGED): Template => JSON.parse(readFileSync(templatePath(packaged), 'utf8'));

/** A function's logical id in the template. */
export const logicalIdOf = (name: string): string =>
  `${name[0]?.toUpperCase()}${name.slice(1).replaceAll('-', 'Dash')}LambdaFunction`;

/** The logical id of a function's log group. */
export const logGroupOf = (name: string): string => logicalIdOf(name).replace(/LambdaFunction$/, 'LogGroup');

/** The path to a function's zip. */
export const zipOf = (name: string, packaged = PACKAGED): string => resolve(packaged, `${name}.zip`);

type Reference = string | { readonly Ref: string } | { readonly 'Fn::GetAtt': readonly string[] };
type Properties = {
  readonly FunctionName: string;
  readonly Handler: string;
  readonly Timeout: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, Reference>> };
};

export type Configuration = {
  readonly functionName: string;
  readonly handler: string;
  readonly variables: Variables;
  readonly timeoutMs: number;
};

/** A function's configuration in the template. `physical`: a value for each logical id that the variables refer to. */
export function configurationOf(name: string, physical: Variables, packaged = PACKAGED): Configuration {
  const logicalId = logicalIdOf(name);
  const resource = template(packaged).Resources[logicalId];
  if (resource === undefined) throw new Error(`There is no ${logicalId} in the template`);
  const { FunctionName: functionName, Handler: handler, Timeout, Environment } = resource.Properties as Properties;
  const variables = Object.entries(Environment.Variables).map(([key, value]) => [key, resolved(value, physical)]);
  return { functionName, handler, variables: Object.fromEntries(variables), timeoutMs: Timeout * 1000 };
}

function resolved(value: Reference, physical: Variables): string {
  if (typeof value === 'string') return value;
  const logicalId = 'Ref' in value ? value.Ref : (value['Fn::GetAtt'][0] ?? '');
  const known = physical[logicalId];
  if (known === undefined) throw new Error(`A variable refers to ${logicalId}, which this deployment does not have`);
  return known;
}
