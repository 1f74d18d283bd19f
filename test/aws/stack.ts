/** Deploys the packaged template into moto, and runs the packaged functions against it, each with its own role. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteItemCommand, DynamoDBClient, GetItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { buildFunctions } from '../../scripts/build.ts';
import { packageFunctions } from '../../scripts/package.ts';
import type { Credentials } from '../kit/aws/credentials.ts';
import { type Lambda, startLambda } from '../kit/lambda/lambda.ts';
import {
  configurationOf,
  FUNCTIONS,
  type FunctionName,
  logicalIdOf,
  type Template,
  template,
  zipOf,
} from '../kit/packaged.ts';
import { at, settled } from '../packaged/infra/template.ts';
import { type Grant, grantsOf, type Policy, type RoleCall, USED_BY_AWS } from './grants.ts';
import { ACCOUNT, element, type Moto, REGION, startMoto, unsigned } from './moto.ts';
import { attributeIn, startProxy } from './proxy.ts';

const STACK = 'flashblade-sessions-dev';
/** The executions whose ends close leases. */
export const STATE_MACHINES = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:nightly`;

/** What moto's CloudFormation creates. README.md says why the rest is left out. */
const KEPT = [
  'DynamoDB::Table',
  'KMS::Key',
  'KMS::Alias',
  'IAM::Role',
  'Events::EventBus',
  'Events::Rule',
  'SQS::Queue',
  'Logs::LogGroup',
];

/** Packages the functions for a stack that also closes the leases of executions. */
async function packageStack(outdir: string): Promise<string> {
  await buildFunctions();
  await packageFunctions({ outdir, parameters: { stateMachineArnPrefix: STATE_MACHINES } });
  return outdir;
}

const roleIdOf = (resources: Template['Resources'], name: FunctionName): string =>
  String(at(resources, `${logicalIdOf(name)}/Properties/Role/Fn::GetAtt/0`));

/** The part of the template that moto can create. The policies and the properties are unchanged. */
function forMoto(packaged: string): { text: string; ids: string[] } {
  const whole = settled(template(packaged));
  const roles = FUNCTIONS.map((name) => roleIdOf(whole.Resources, name));
  const kept = Object.entries(whole.Resources).filter(
    ([id, { Type }]) => KEPT.includes(Type.replace('AWS::', '')) && (Type !== 'AWS::IAM::Role' || roles.includes(id)),
  );
  const ids = kept.map(([id]) => id);
  const Resources = Object.fromEntries(kept.map(([id, resource]) => [id, { ...resource, DependsOn: [] }]));
  // moto resolves the reference to an object instead of the bus's name.
  const text = JSON.stringify({ Resources }).replaceAll('{"Ref":"EventBus"}', JSON.stringify(STACK));
  return { text, ids };
}

/** A copy of a function's role for a negative control, without the statement with this Sid. */
type Lacking = { readonly name: FunctionName; readonly sid: string };
const labelOf = ({ name, sid }: Lacking): string => `${name}-without-${sid}`;

/**
 * A policy as moto can check it. moto compares the resource of an SQS call, but sees every other resource as `*`, so a statement that the
 * function itself never uses would allow too much. `differences` compares the resources of all calls.
 */
const visibleToMoto = ({ Statement }: Policy): string => {
  const own = Statement.filter(({ Sid }) => !(Sid in USED_BY_AWS));
  const isVisible = ({ Action }: (typeof own)[number]): boolean => String(Action).startsWith('sqs:');
  const visible = own.map((statement) => (isVisible(statement) ? statement : { ...statement, Resource: '*' }));
  return JSON.stringify({ Version: '2012-10-17', Statement: visible });
};

const credentialsIn = (xml: string, token?: string): Credentials => ({
  accessKeyId: element(xml, 'AccessKeyId'),
  secretAccessKey: element(xml, 'SecretAccessKey'),
  sessionToken: token === undefined ? '' : element(xml, token),
});

/** Sets up everything in moto, which must not enforce permissions yet. */
async function deployInto({ url }: Moto, packaged: string, lacking: readonly Lacking[]) {
  const { text, ids } = forMoto(packaged);
  const ask = (service: string, Action: string, input: Record<string, string>) =>
    unsigned(url, service, { Action, ...input });
  const named = { StackName: STACK, 'Capabilities.member.1': 'CAPABILITY_NAMED_IAM' };
  await ask('cloudformation', 'CreateStack', { ...named, TemplateBody: text });
  const physical: Record<string, string> = { EventBus: STACK };
  for (const LogicalResourceId of ids) {
    const xml = await ask('cloudformation', 'DescribeStackResource', { StackName: STACK, LogicalResourceId });
    physical[LogicalResourceId] ??= element(xml, 'PhysicalResourceId');
  }

  const grants: Grant[] = [];
  const credentials = new Map<string, Credentials>();
  /** Only Lambda may assume these roles, and here the test plays Lambda. moto allows that until it enforces permissions. */
  async function assume(label: string, RoleName: string, policy: Policy): Promise<void> {
    const PolicyDocument = visibleToMoto(policy);
    await ask('iam', 'PutRolePolicy', { RoleName, PolicyName: label, PolicyDocument });
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/${RoleName}`;
    const xml = await ask('sts', 'AssumeRole', { RoleArn, RoleSessionName: 'function' });
    credentials.set(label, credentialsIn(xml, 'SessionToken'));
  }
  for (const name of FUNCTIONS) {
    const RoleName = physical[roleIdOf(template(packaged).Resources, name)] ?? '';
    const xml = await ask('iam', 'GetRolePolicy', { RoleName, PolicyName: name });
    // moto writes the policies from a template as Python writes a dictionary.
    const policy: Policy = JSON.parse(element(xml, 'PolicyDocument').replaceAll("'", '"'));
    grants.push(...grantsOf(name, policy));
    await assume(name, RoleName, policy);
    for (const one of lacking.filter((one) => one.name === name)) {
      const label = labelOf(one);
      await ask('iam', 'CreateRole', { RoleName: label, AssumeRolePolicyDocument: '{"Statement":[]}' });
      await assume(label, label, { Statement: policy.Statement.filter(({ Sid }) => Sid !== one.sid) });
    }
  }

  const UserName = 'administrator';
  const everything = { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' };
  await ask('iam', 'CreateUser', { UserName });
  await ask('iam', 'PutUserPolicy', {
    ...{ UserName, PolicyName: 'all' },
    PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [everything] }),
  });
  const administrator = credentialsIn(await ask('iam', 'CreateAccessKey', { UserName }));
  return { physical, grants, credentials, administrator, executions: await startExecutions(url) };
}

/** An execution that runs, and one that was stopped. */
async function startExecutions(url: string): Promise<{ running: string; ended: string }> {
  const ask = (Action: string, input: Record<string, string>) =>
    unsigned(url, 'states', { Action, ...input }, 'AWSStepFunctions');
  const definition = JSON.stringify({ StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 600, End: true } } });
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/nightly`;
  await ask('CreateStateMachine', { name: 'nightly', definition, roleArn });
  const start = async (name: string): Promise<string> =>
    JSON.parse(await ask('StartExecution', { stateMachineArn: STATE_MACHINES, name, input: '{}' })).executionArn;
  const [running, ended] = [await start('running'), await start('ended')];
  await ask('StopExecution', { executionArn: ended });
  return { running, ended };
}

export type Stack = Awaited<ReturnType<typeof startStack>>;

/** Starts moto with the packaged stack. From then on, moto enforces permissions. `lacking`: roles for negative controls. */
export async function startStack(lacking: readonly Lacking[] = []) {
  await using ifFailed = new AsyncDisposableStack();
  const parts = ifFailed.use(new AsyncDisposableStack());
  const directory = await mkdtemp(join(tmpdir(), 'flashblade-moto-'));
  parts.defer(() => rm(directory, { recursive: true }));
  const packaged = await packageStack(join(directory, 'package'));
  const moto = parts.adopt(await startMoto(), ({ stop }) => stop());
  const { physical, grants, credentials, administrator, executions } = await deployInto(moto, packaged, lacking);
  await moto.enforce();

  const { sessionToken: _none, ...user } = administrator;
  const options = { endpoint: moto.url, region: REGION, credentials: user };
  const dynamodb = new DynamoDBClient(options);
  const proxy = parts.adopt(await startProxy(moto.url, attributeIn(dynamodb)), ({ stop }) => stop());
  const queueName = (id: string): string => physical[id]?.split('/').at(-1) ?? '';
  const queueUrl = (id: string): string => `${proxy.url}/${ACCOUNT}/${queueName(id)}`;
  const variables = {
    ...physical,
    LeaseKey: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${physical['LeaseKey']}`,
    FailedEventQueue: queueUrl('FailedEventQueue'),
  };

  /** Starts a packaged function with its role, or with other credentials. */
  async function start(name: FunctionName, given?: Credentials, aheadMs?: () => number): Promise<Lambda> {
    const { variables: own, ...configuration } = configurationOf(name, variables, packaged);
    const { accessKeyId, secretAccessKey, sessionToken } = given ?? credentialsOf(name);
    const env = {
      ...own,
      ...{ AWS_REGION: REGION, AWS_ENDPOINT_URL: proxy.url },
      ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken },
    };
    const lambda = await startLambda({
      ...configuration,
      zip: zipOf(name, packaged),
      env,
      ...(aheadMs && { aheadMs }),
    });
    return parts.adopt(lambda, ({ stop }) => stop());
  }

  function credentialsOf(label: string): Credentials {
    const found = credentials.get(label);
    if (found === undefined) throw new Error(`there is no role ${label}`);
    return found;
  }

  const callers = new Map([...credentials].map(([label, { accessKeyId }]) => [accessKeyId, label]));
  ifFailed.move();
  return {
    ...{ moto, proxy, grants, executions, start, queueUrl, credentialsOf },
    /** Clients of an administrator, whose calls are not recorded. */
    administrator: {
      dynamodb,
      events: new EventBridgeClient(options),
      secrets: new SecretsManagerClient(options),
      sqs: new SQSClient({ ...options, useQueueUrlAsEndpoint: false }),
    },
    /** An SQS client with a role, as Lambda uses a function's role. Its calls are recorded. */
    sqsOf: (label: string) =>
      new SQSClient({
        ...options,
        endpoint: proxy.url,
        credentials: credentialsOf(label),
        useQueueUrlAsEndpoint: false,
      }),
    secretsKey: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${physical['SecretsKey']}`,
    bus: STACK,
    table: physical['LeaseTable'] ?? '',
    /** The calls of every function so far. Calls of roles for negative controls are left out. */
    calls: (): RoleCall[] =>
      proxy.calls.flatMap(({ accessKeyId, action, resource }) => {
        const label = callers.get(accessKeyId);
        const role = FUNCTIONS.find((name) => name === label);
        return label !== undefined && role === undefined ? [] : [{ role, action, resource }];
      }),
    /** Every item in the ledger. */
    items: async (): Promise<Record<string, unknown>[]> => {
      const items: Record<string, unknown>[] = [];
      for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName: physical['LeaseTable'] }))
        items.push(...Items.map((item) => unmarshall(item)));
      return items;
    },
    stop: () => parts.disposeAsync(),
  };
}

/** Throws unless moto refuses a wrong secret key, and an action that a role does not allow. The calls are not recorded. */
export async function assertEnforced({ moto, table, credentialsOf }: Stack): Promise<void> {
  const own = credentialsOf('logout');
  for (const credentials of [own, { ...own, secretAccessKey: 'x'.repeat(40) }]) {
    const client = new DynamoDBClient({ endpoint: moto.url, region: REGION, credentials, maxAttempts: 1 });
    const Key = { id: { S: credentials === own ? 'not allowed' : 'wrong key' } };
    const input = { TableName: table, Key };
    const command = credentials === own ? new DeleteItemCommand(input) : new GetItemCommand(input);
    const refused = await client.send(command as GetItemCommand).then(
      () => false,
      ({ $metadata }) => $metadata?.httpStatusCode === 403,
    );
    client.destroy();
    if (!refused) throw new Error('moto does not enforce permissions');
  }
}
