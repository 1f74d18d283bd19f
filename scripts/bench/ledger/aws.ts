/** Started as a process: the stand-ins for AWS, with dynalite behind them, and what they were asked. */
import { type Aws, startAws } from '../../../test/kit/aws/index.ts';
import { LEASE_TABLE } from '../../../test/kit/lease-table.ts';
import { answer } from '../process.ts';

export type Asked = {
  /** How many calls, by `dynamodb:PutItem`. */
  readonly calls: Readonly<Record<string, number>>;
  /** How many of them DynamoDB refused, for want of a condition. */
  readonly refused: number;
  /** Of all threads of this process. */
  readonly cpuMs: number;
};

let aws: Aws | undefined;
let received = 0;
let before = process.cpuUsage();

const running = (): Aws => {
  if (aws === undefined) throw new Error('not started');
  return aws;
};

const handlers = {
  open: async (): Promise<{ env: Readonly<Record<string, string>>; keyArn: string }> => {
    aws = await startAws();
    aws.onCall((phase) => {
      if (phase === 'received') received += 1;
    });
    return { env: aws.env, keyArn: aws.kms.createKey().arn };
  },
  /** Makes a lease table as it is deployed. */
  createTable: (name: string): Promise<void> => running().dynamodb.createTable(LEASE_TABLE, name),
  putSecrets: (secrets: Readonly<Record<string, object>>): void => {
    for (const [name, value] of Object.entries(secrets)) running().secrets.put(name, value);
  },
  /** Since the last time. The log keeps the last 5,000 calls: ask before there are more. */
  asked: (): Asked => {
    const { user, system } = process.cpuUsage(before);
    const latest = received === 0 ? [] : running().calls.slice(-received);
    if (latest.length < received) throw new Error('there were more calls than the log keeps');
    const byName = Map.groupBy(latest, ({ service, action }) => `${service}:${action}`);
    const calls = Object.fromEntries([...byName].map(([name, same]) => [name, same.length]));
    const refused = latest.filter(({ service, status }) => service === 'dynamodb' && status === 400).length;
    received = 0;
    before = process.cpuUsage();
    return { calls, refused, cpuMs: (user + system) / 1000 };
  },
};
export type AwsCalls = typeof handlers;

answer(handlers);
