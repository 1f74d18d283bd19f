/** The functions of two versions over one ledger, one event bus and one simulated array. */
import { DeleteItemCommand, DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type DeployOptions, deploy } from '../../kit/deploy.ts';
import type { Lambda } from '../../kit/lambda/lambda.ts';
import { resultOf } from '../../kit/lambda/outcome.ts';
import { FUNCTIONS, type FunctionName } from '../../kit/packaged.ts';

export const SESSIONS_PER_ARRAY = 2;

export type Fields = Readonly<Record<string, unknown>>;
export type Version = ReturnType<typeof versionOf>;
export type World = Awaited<ReturnType<typeof startWorld>>;

const versionOf = (lambdaOf: (name: FunctionName) => Lambda) => ({
  /** Returns the function's result. Throws an error whose name is the error code, or SIGKILL if its process was killed. */
  invoke: async (name: FunctionName, event: unknown) => resultOf<Fields>(await lambdaOf(name).invoke(event)),
  kill: (name: FunctionName): Promise<void> => lambdaOf(name).kill(),
  /** Everything that the functions have written. */
  output: (): string => FUNCTIONS.map((name) => lambdaOf(name).output).join(''),
});

/**
 * Starts both versions, each function in a process of its own. The variables are those of today's template: while a stack is updated, the
 * previous code may already run with them. `today`: bundles that replace packaged functions.
 */
export async function startWorld(
  previous: Readonly<Record<FunctionName, string>>,
  today: NonNullable<DeployOptions['bundles']> = {},
) {
  const env = { SESSIONS_PER_ARRAY: String(SESSIONS_PER_ARRAY) };
  const d = await deploy({ functions: FUNCTIONS, bundles: today, env });
  const kept = new Map<FunctionName, Lambda>();
  const sharded = new Map<FunctionName, Lambda>();
  for (const name of FUNCTIONS) {
    kept.set(name, await d.startFunction(name, previous[name]));
    sharded.set(name, await d.startFunction(name, undefined, { DUE_SHARDS: '16' }));
  }
  const { AWS_ENDPOINT_URL_DYNAMODB: endpoint, AWS_REGION: region } = d.env;
  const dynamodb = new DynamoDBClient({ endpoint, region, credentials: d.aws.credentials });
  const TableName = d.physical.LeaseTable;

  return {
    ...d,
    previous: versionOf((name) => kept.get(name) as Lambda),
    today: versionOf(d.lambdaOf),
    /** Today's functions, after the owner of the stack has set `dueShards` to 16. */
    sharded: versionOf((name) => sharded.get(name) as Lambda),
    item: async (id: string) => (await d.items()).find((item) => item.id === id),
    /** Replaces attributes that an item has, such as a time. The item keeps its version. */
    async change(id: string, values: Fields): Promise<void> {
      const names = Object.keys(values);
      const command = new UpdateItemCommand({
        TableName,
        Key: marshall({ id }),
        UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`)}`,
        ConditionExpression: names.map((name) => `attribute_exists(#${name})`).join(' AND '),
        ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: marshall(Object.fromEntries(names.map((name) => [`:${name}`, values[name]]))),
      });
      await dynamodb.send(command);
    },
    /** Forgets everything, so that what one test leaves does not disturb the next. */
    async reset(): Promise<void> {
      d.watchArray(undefined);
      await d.simulator.faults.clear();
      for (const { authToken } of d.simulator.sessions()) d.simulator.endSession(authToken);
      for (const { id } of await d.items())
        await dynamodb.send(new DeleteItemCommand({ TableName, Key: marshall({ id }) }));
    },
    async stop(): Promise<void> {
      dynamodb.destroy();
      await d.stop();
    },
  };
}

/** Sessions, leases, SUSPECTs and slots that have not ended. */
export async function leftIn(w: World): Promise<string[]> {
  const open = (await w.items()).flatMap(({ id, kind, state = '', live }) => {
    if (live !== undefined) return Object.keys(live).map((slot) => `${id} has the slot ${slot}`);
    return kind === 'suspect' || (kind === 'lease' && state !== 'CLOSED') ? [`${id} ${state}`] : [];
  });
  return [...open, ...w.simulator.sessions().map(({ requestId }) => `session ${requestId}`)];
}

const FAILURE = /"event":"(LedgerWriteFailed|SweepFailed|LeaseAltered)"|"(code|errorType)":"INTERNAL"/;

/** Log lines of failures that no version may cause in the other. `before`: those of earlier work. */
export const failuresIn = ({ previous, today, sharded }: World, before: readonly string[] = []): string[] =>
  [previous, today, sharded]
    .flatMap((version) => version.output().split('\n'))
    .filter((line) => FAILURE.test(line) && !before.includes(line));
