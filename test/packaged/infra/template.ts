/** The compiled CloudFormation template as data, with helpers for the checks. */
import { readFile } from 'node:fs/promises';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Resource = { Type: string; Properties: { [name: string]: Json }; [attribute: string]: Json };
export type Template = {
  Resources: { [logicalId: string]: Resource };
  Conditions?: { [name: string]: Json };
  Outputs?: { [name: string]: Json };
};

export const readTemplate = async (path: string): Promise<Template> => {
  const template: unknown = JSON.parse(await readFile(path, 'utf8'));
  return template as Template;
};

/** The value at a path, undefined if the path does not exist. In a list, a string finds a policy statement by its Sid. */
export const at = (value: Json | undefined, ...path: (string | number)[]): Json | undefined =>
  path.reduce<Json | undefined>(
    (inner, step) => (inner !== null && typeof inner === 'object' ? Object(inner)[keyOf(inner, step)] : undefined),
    value,
  );

/** The key or index in a value that a step of a path refers to. */
export const keyOf = (value: Json, step: string | number): string | number =>
  Array.isArray(value) && typeof step === 'string' ? value.findIndex((one) => at(one, 'Sid') === step) : step;

export const list = (value: Json | undefined): Json[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

export const resourcesOf = (template: Template, type: string): [string, Resource][] =>
  Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

/** The logical id that `Ref` or `Fn::GetAtt` points to. */
export const target = (value: Json | undefined): string => String(at(value, 'Ref') ?? at(value, 'Fn::GetAtt', 0) ?? '');

/** Name of a function, as in serverless.yml, from its logical id. */
export const functionName = (id: string): string =>
  id
    .replace(/LambdaFunction$/, '')
    .replaceAll('Dash', '-')
    .toLowerCase();

/** A value as text: `LeaseTable.Arn` for an attribute, `arn:<Partition>:…` for `Fn::Sub`, a string unchanged, otherwise JSON. */
export const render = (value: Json | undefined): string => {
  if (typeof value === 'string') return value;
  const attribute = at(value, 'Fn::GetAtt');
  if (attribute !== undefined) return list(attribute).join('.');
  const pattern = at(value, 'Fn::Sub');
  if (pattern !== undefined) return String(pattern).replace(/\$\{(?:AWS::)?([\w.]+)\}/g, '<$1>');
  return String(at(value, 'Ref') ?? JSON.stringify(value));
};

/** The string for `Fn::Sub` from the form that `render` writes: `arn:<AWS::Partition>:…`. */
export const sub = (text: string): string => text.replace(/<([\w:.]+)>/g, (_, name) => `$\{${name}}`);

/** Returns a fault that names value and expected value, or nothing if they are equal. */
export const differs = (what: string, value: Json | undefined, expected: Json): string[] =>
  JSON.stringify(value) === JSON.stringify(expected)
    ? []
    : [`${what} must be ${JSON.stringify(expected)}, but is ${JSON.stringify(value)}`];
