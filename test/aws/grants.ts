/** Compares what the functions called with what their roles allow: no call without a grant, and no grant without a call. */
import type { FunctionName } from '../kit/packaged.ts';

type OneOrMore = string | readonly string[];
type Statement = {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: OneOrMore;
  readonly Resource: OneOrMore;
};
export type Policy = { readonly Statement: readonly Statement[] };

/** One action of one statement in a function's role. */
export type Grant = {
  readonly role: FunctionName;
  readonly sid: string;
  readonly action: string;
  readonly resources: readonly string[];
};

/** `resource` is undefined if the recorder does not know the action. */
export type RoleCall = {
  readonly role: FunctionName | undefined;
  readonly action: string;
  readonly resource: string | undefined;
};

/** Statements that only AWS's own services use on behalf of a function, and that moto's services do not use. */
export const USED_BY_AWS: Readonly<Record<string, string>> = {
  DecryptSecrets: 'Secrets Manager decrypts a secret with the permissions of its reader',
  WriteLogs: 'Lambda writes the logs of a function with its role',
};

const list = (value: OneOrMore): readonly string[] => (typeof value === 'string' ? [value] : value);

export const grantsOf = (role: FunctionName, { Statement }: Policy): Grant[] =>
  Statement.flatMap(({ Sid: sid, Effect, Action, Resource }) => {
    if (Effect !== 'Allow') throw new Error(`${role} has a statement that does not allow`);
    return list(Action).map((action) => ({ role, sid, action, resources: list(Resource) }));
  });

const allows = ({ role, action, resources }: Grant, call: RoleCall): boolean =>
  role === call.role && action === call.action && resources.some((pattern) => covers(pattern, call.resource ?? ''));

/** The roles use a wildcard only at the end of an ARN. */
function covers(pattern: string, arn: string): boolean {
  const [start = '', ...more] = pattern.split('*');
  if (more.some((text) => text !== '') || pattern.includes('?')) throw new Error(`a new form of pattern: ${pattern}`);
  return more.length === 0 ? arn === pattern : arn.startsWith(start);
}

/** Returns a sentence for each call without a grant, each grant without a call, and each call that cannot be judged. */
export function differences(grants: readonly Grant[], calls: readonly RoleCall[]): string[] {
  const faults = calls.map((call) => {
    if (call.role === undefined) return `${call.action} was called with credentials of no function`;
    if (call.resource === undefined) return `${call.role} called ${call.action}, which the recorder does not know`;
    if (grants.some((grant) => allows(grant, call))) return undefined;
    return `${call.role} called ${call.action} on ${call.resource} without a grant`;
  });
  const unused = grants
    .filter((grant) => !(grant.sid in USED_BY_AWS) && !calls.some((call) => allows(grant, call)))
    .map(({ role, sid, action }) => `${role} never needed ${action} of the statement ${sid}`);
  return [...new Set(faults.filter((fault) => fault !== undefined)), ...unused];
}
