/** The functions of two versions over one ledger, one event bus and one simulated array. */
import { DeleteItemCommand, DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type OnRequest, startSimulator } from '../../../simulator/index.ts';
import { startAws } from '../../kit/aws/index.ts';
import { LEASE_TABLE } from '../../kit/lease-table.ts';
import { type Code, startVersion } from './version.ts';

const TABLE = 'leases';
const BUS = 'sessions';
export const SESSIONS_PER_ARRAY = 2;

export type Item = Readonly<Record<string, unknown>>;
export type World = Awaited<ReturnType<typeof startWorld>>;

/** Starts both versions. The fleet has no array before `addArray`. Everything lives until `stop`. */
export async function startWorld(code: { readonly previous: Code; readonly today: Code }) {
  let watcher: OnRequest | undefined;
  const onRequest: OnRequest = (phase, request) => watcher?.(phase, request);
  const [aws, simulator] = await Promise.all([startAws(), startSimulator({ onRequest })]);
  await aws.dynamodb.createTable(LEASE_TABLE, TABLE);
  aws.events.createBus(BUS);
  const { AWS_ENDPOINT_URL_DYNAMODB: endpoint, AWS_REGION: region } = aws.env;
  const dynamodb = new DynamoDBClient({ endpoint, region, credentials: aws.credentials });
  const queue = aws.sqs.createQueue('dead-letters');
  const physical = { LeaseTable: TABLE, LeaseKey: aws.kms.createKey().arn, EventBus: BUS, DeadLetterQueue: queue };
  const env = { ...aws.env, SESSIONS_PER_ARRAY: String(SESSIONS_PER_ARRAY) };
  const [previous, today] = await Promise.all([
    startVersion(code.previous, physical, env),
    startVersion(code.today, physical, env),
  ]);
  const items = (): Promise<Item[]> => aws.dynamodb.scan(TABLE);

  return {
    previous,
    today,
    simulator,
    published: () => aws.events.sent,
    addArray(name: string, fields: object = {}): void {
      const { certificate: ca, port, apiToken } = simulator;
      aws.secrets.put(`flashblade/${name}`, { host: `127.0.0.1:${port}`, apiToken, trust: { ca }, ...fields });
    },
    /** Sees every request to the array before and after the array acts on it; the array waits for it. */
    watchArray: (next: OnRequest | undefined): void => {
      watcher = next;
    },
    items,
    item: async (id: string) => (await items()).find((item) => item['id'] === id),
    /** Replaces attributes that an item has, such as a time. The item keeps its version. */
    async change(id: string, values: Item): Promise<void> {
      const names = Object.keys(values);
      const command = new UpdateItemCommand({
        TableName: TABLE,
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
      watcher = undefined;
      await simulator.faults.clear();
      for (const { authToken } of simulator.sessions()) simulator.endSession(authToken);
      for (const { id } of await items()) {
        await dynamodb.send(new DeleteItemCommand({ TableName: TABLE, Key: marshall({ id }) }));
      }
    },
    async stop(): Promise<void> {
      dynamodb.destroy();
      await Promise.all([previous.stop(), today.stop()]);
      await Promise.all([simulator.stop(), aws.stop()]);
    },
  };
}
