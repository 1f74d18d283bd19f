import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFunctions } from '../../../scripts/build.ts';
import { canary } from '../../kit/canary.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { type Lambda, startLambda } from '../../kit/lambda/lambda.ts';
import { tokensIn } from '../../kit/leaks.ts';
import { builtFiles } from './built.ts';
import { WAY_NAMES } from './controls/tell.ts';

const TOKEN = canary(77);

describe('the search of what a function writes', () => {
  let directory: string;
  let lambda: Lambda;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flashblade-canary-'));
    const entries = [resolve(import.meta.dirname, 'controls/tell.ts')];
    await buildFunctions({ entries, outdir: join(directory, 'tell') });
    lambda = await startLambda({ directory: join(directory, 'tell'), handler: 'tell.handler' });
  });

  afterAll(async () => {
    await lambda.stop();
    await rm(directory, { recursive: true });
  });

  async function written(way: string): Promise<string> {
    const before = lambda.output.length;
    const outcome = await lambda.invoke({ way, token: TOKEN });
    // What the process wrote before it responded is read in this turn of the event loop, possibly after the response.
    await turn();
    return JSON.stringify(outcome) + lambda.output.slice(before);
  }

  test.each(WAY_NAMES)('finds a token that the function leaks in %s', async (way) => {
    expect(tokensIn(await written(way), [TOKEN])).toEqual([TOKEN]);
  });

  test('finds nothing if the function leaks no token', async () => {
    expect(tokensIn(await written('nothing'), [TOKEN])).toEqual([]);
  });

  test('finds a piece of a token in the bundle of the function', async () => {
    const entry = join(directory, 'holds.ts');
    await writeFile(entry, `export const handler = async () => '${TOKEN.slice(8, 20)}';`);
    const outdir = join(directory, 'holds');
    await buildFunctions({ entries: [entry], outdir });
    const built = await builtFiles([outdir]);
    expect(built.map(({ text }) => tokensIn(text, [TOKEN]))).toEqual([[TOKEN]]);
  });
});

describe('the search of a deployment', () => {
  let d: Deployment;

  beforeAll(async () => {
    d = await deploy({ functions: ['session-events'] });
    d.addArray('fb1', { apiToken: TOKEN });
  });

  afterAll(() => d.stop());

  const clientOptions = (endpoint: string) => ({
    endpoint,
    region: d.env.AWS_REGION,
    credentials: d.aws.credentials,
  });

  async function send(MessageBody: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const sqs = new SQSClient(clientOptions(d.env.AWS_ENDPOINT_URL_SQS));
    sqs.middlewareStack.add(
      (next) => (call) => {
        Object.assign((call.request as { headers: object }).headers, headers);
        return next(call);
      },
      { step: 'build' },
    );
    await sqs.send(new SendMessageCommand({ QueueUrl: d.physical.FailedEventQueue, MessageBody }));
    sqs.destroy();
  }

  test('finds nothing before a token is leaked', async () => {
    expect(await d.leaks()).toEqual([]);
  });

  test('finds a piece of a token in a header of a request to AWS', async () => {
    await send('nothing', { 'x-planted': TOKEN.slice(10, 18) });
    expect(await d.leaks()).toEqual(['what AWS was sent']);
  });

  test('finds a piece of a token in a dead letter', async () => {
    await send(JSON.stringify({ reason: `no session for ${TOKEN.slice(10, 18)}` }));
    expect(await d.leaks()).toEqual(['what AWS was sent', 'dead letters']);
  });

  test('finds a token in an event on the bus', async () => {
    const eventBridge = new EventBridgeClient(clientOptions(d.env.AWS_ENDPOINT_URL_EVENTBRIDGE));
    const Detail = JSON.stringify({ reason: encodeURIComponent(TOKEN) });
    const entry = { EventBusName: d.physical.EventBus, Source: 'control', DetailType: 'Session Failed', Detail };
    await eventBridge.send(new PutEventsCommand({ Entries: [entry] }));
    eventBridge.destroy();
    expect(await d.leaks()).toContain('events on the bus');
  });

  test('finds a token in an item of the ledger', async () => {
    await d.tamper({ id: 'planted', owner: Buffer.from(`job of ${TOKEN}`).toString('base64') });
    expect(await d.leaks()).toContain('the ledger');
  });
});
