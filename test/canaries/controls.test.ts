import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFunctions } from '../../scripts/build.ts';
import { tokensIn } from '../functions/secrecy.ts';
import { deployEvents, type EventsDeployment } from '../functions/session-events-deployment.ts';
import { type Lambda, startLambda } from '../lambda/lambda.ts';
import { builtFiles } from './built.ts';
import { canary } from './canary.ts';
import { WAY_NAMES } from './controls/tell.ts';

const TOKEN = canary(77);

describe('a function that tells a token', () => {
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

  async function told(way: string): Promise<string> {
    const before = lambda.output.length;
    const outcome = await lambda.invoke({ way, token: TOKEN });
    // What the process wrote before it answered is read in this turn of the event loop, perhaps after the answer.
    await turn();
    return JSON.stringify(outcome) + lambda.output.slice(before);
  }

  test.each(WAY_NAMES)('in %s is found', async (way) => {
    expect(tokensIn(await told(way), [TOKEN])).toEqual([TOKEN]);
  });

  test('in none of these ways tells nothing', async () => {
    expect(tokensIn(await told('nothing'), [TOKEN])).toEqual([]);
  });

  test('in its bundle is found', async () => {
    const entry = join(directory, 'holds.ts');
    await writeFile(entry, `export const handler = async () => '${TOKEN.slice(8, 20)}';`);
    const outdir = join(directory, 'holds');
    await buildFunctions({ entries: [entry], outdir });
    const built = await builtFiles([outdir]);
    expect(built.map(({ text }) => tokensIn(text, [TOKEN]))).toEqual([[TOKEN]]);
  });
});

describe('a deployment finds a token', () => {
  let d: EventsDeployment;

  beforeAll(async () => {
    d = await deployEvents();
    d.addArray('fb1', { apiToken: TOKEN });
  });

  afterAll(() => d.stop());

  const clientOptions = () => {
    const { AWS_ENDPOINT_URL_EVENTBRIDGE, AWS_ENDPOINT_URL_SQS, AWS_REGION: region } = d.env;
    const { credentials } = d.aws;
    return {
      eventBridge: { endpoint: AWS_ENDPOINT_URL_EVENTBRIDGE, region, credentials },
      sqs: { endpoint: AWS_ENDPOINT_URL_SQS, region, credentials },
    };
  };

  test('in nothing before one was told', async () => {
    expect(await d.leaks()).toEqual([]);
  });

  test('in a dead letter', async () => {
    const sqs = new SQSClient(clientOptions().sqs);
    const MessageBody = JSON.stringify({ reason: `no session for ${TOKEN.slice(10, 18)}` });
    await sqs.send(new SendMessageCommand({ QueueUrl: d.deadLetterQueue, MessageBody }));
    sqs.destroy();
    expect(await d.leaks()).toEqual(['what AWS was sent', 'dead letters']);
  });

  test('in an event on the bus', async () => {
    const eventBridge = new EventBridgeClient(clientOptions().eventBridge);
    const Detail = JSON.stringify({ reason: encodeURIComponent(TOKEN) });
    const entry = { EventBusName: 'sessions', Source: 'control', DetailType: 'Session Failed', Detail };
    await eventBridge.send(new PutEventsCommand({ Entries: [entry] }));
    eventBridge.destroy();
    expect(await d.leaks()).toContain('events');
  });

  test('in an item of the ledger', async () => {
    await d.tamper({ id: 'planted', owner: Buffer.from(`job of ${TOKEN}`).toString('base64') });
    expect(await d.leaks()).toContain('the ledger');
  });
});
