/** The floor: the same calls of AWS and of the array, written by hand with the bare clients, and nothing between. */
import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { marshall } from '@aws-sdk/util-dynamodb';
import { apiToken, authToken, type FlashBlade } from '../../../lib/core/model.ts';
import { loginWithHttpInfo, logoutWithHttpInfo } from '../../../lib/flashblade/client.ts';
import { type Open, type Stored, sealContext } from '../../../lib/leases/items.ts';
import { API_TOKEN } from '../check.ts';

export type Bare = {
  readonly dynamodb: DynamoDBClient;
  readonly kms: KMSClient;
  readonly table: string;
  readonly keyArn: string;
};

const NEW = { ConditionExpression: 'attribute_not_exists(id)' };
const SEALED = 'x'.repeat(400);

const itemOf = (leaseId: string, target: FlashBlade, state: string) =>
  marshall({
    id: `lease#${leaseId}`,
    kind: 'lease',
    state,
    leaseId,
    target,
    sealed: SEALED,
    attemptId: leaseId,
    version: state,
  });

/** Replaces what is in that state. */
const afterState = (state: string) => ({
  ConditionExpression: 'version = :version',
  ExpressionAttributeValues: { ':version': { S: state } },
});

const slotOf = (table: string, { name }: FlashBlade, attemptId: string) => ({
  TableName: table,
  Key: { id: { S: `array#${name}` } },
  ExpressionAttributeNames: { '#own': attemptId },
});

export async function openByHand({ dynamodb, kms, table, keyArn }: Bare, target: FlashBlade, leaseId: string) {
  const context = sealContext(leaseId, target);
  const refusal = { id: { S: `refusal#${target.name}#version` } };
  await Promise.all([
    dynamodb.send(new PutItemCommand({ TableName: table, Item: itemOf(leaseId, target, 'OPENING'), ...NEW })),
    kms.send(new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: context })),
    dynamodb.send(
      new UpdateItemCommand({
        ...slotOf(table, target, leaseId),
        UpdateExpression: 'SET live.#own = :slot',
        ConditionExpression: 'attribute_not_exists(live.#own) AND size(live) < :limit',
        ExpressionAttributeValues: { ':slot': { M: { leaseId: { S: leaseId } } }, ':limit': { N: '500' } },
      }),
    ),
    dynamodb.send(new GetItemCommand({ TableName: table, Key: refusal, ConsistentRead: true })),
  ]);
  await loginWithHttpInfo(target, apiToken(API_TOKEN));
  const opened = { TableName: table, Item: itemOf(leaseId, target, 'OPEN'), ...afterState('OPENING') };
  await dynamodb.send(new PutItemCommand(opened));
}

/** What a sweep asks first. */
export async function queryByHand({ dynamodb, table }: Bare): Promise<void> {
  const due = { ':due': { S: 'due' } };
  const condition = { KeyConditionExpression: 'duePartition = :due', ExpressionAttributeValues: due };
  await dynamodb.send(new QueryCommand({ TableName: table, IndexName: 'due', ...condition }));
}

export async function closeByHand(
  { dynamodb, kms, table, keyArn }: Bare,
  { id, attemptId, leaseId, target, version, sealed }: Stored<Open>,
) {
  const [, encrypted = ''] = sealed.split('.');
  const CiphertextBlob = Buffer.from(encrypted, 'base64url');
  await dynamodb.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } }, ConsistentRead: true }));
  await Promise.all([
    dynamodb.send(
      new PutItemCommand({ TableName: table, Item: itemOf(leaseId, target, 'CLOSING'), ...afterState(version) }),
    ),
    kms.send(new DecryptCommand({ KeyId: keyArn, CiphertextBlob, EncryptionContext: sealContext(leaseId, target) })),
  ]);
  await logoutWithHttpInfo({ array: target, authToken: authToken(leaseId), username: 'pureuser' });
  const closed = { TableName: table, Item: itemOf(leaseId, target, 'CLOSED'), ...afterState('CLOSING') };
  await Promise.all([
    dynamodb.send(new PutItemCommand(closed)),
    dynamodb.send(
      new UpdateItemCommand({
        ...slotOf(table, target, attemptId),
        UpdateExpression: 'REMOVE live.#own',
        ConditionExpression: 'attribute_exists(live.#own)',
      }),
    ),
  ]);
}
