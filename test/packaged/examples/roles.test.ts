/** Every role in the examples' templates can have a permissions boundary. */
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { errorsIn } from '../infra/cloudformation.ts';
import { EXAMPLES, read } from './files.ts';

type Stack = {
  readonly Parameters: Readonly<Record<string, unknown>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>
  >;
};

/** CloudFormation's validator rejects a shorter default, such as an empty one. */
const NONE = 'no permissions boundary';

test.each([
  ['step-functions/stack.yml', 1],
  ['eventbridge/rules.yml', 2],
])('%s gives each of its roles the permissions boundary, and none by default', { timeout: 60_000 }, (name, count) => {
  const { Parameters, Conditions, Resources }: Stack = parse(read(name));
  const roles = Object.values(Resources).filter(({ Type }) => Type === 'AWS::IAM::Role');
  expect(roles.map(({ Properties }) => Properties['PermissionsBoundary'])).toEqual(
    Array(count).fill({
      'Fn::If': ['HasPermissionsBoundary', { Ref: 'PermissionsBoundaryArn' }, { Ref: 'AWS::NoValue' }],
    }),
  );
  expect(Parameters['PermissionsBoundaryArn']).toEqual({ Type: 'String', Default: NONE });
  expect(Conditions['HasPermissionsBoundary']).toEqual({
    'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'PermissionsBoundaryArn' }, NONE] }],
  });
  expect(errorsIn(`${EXAMPLES}/${name}`)).toEqual([]);
});
