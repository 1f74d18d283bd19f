/** For tests: a table with the ledger's key and sparse index. */
import {
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { awsWithClients } from './clients.ts';

export const TableName = 'ledger';
/** A table's properties from a template, including some that only CloudFormation supports. */
export const properties = {
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'dueShard', AttributeType: 'S' },
    { AttributeName: 'dueAt', AttributeType: 'N' },
  ],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'due',
      KeySchema: [
        { AttributeName: 'dueShard', KeyType: 'HASH' },
        { AttributeName: 'dueAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
  TimeToLiveSpecification: { AttributeName: 'purgeAt', Enabled: true },
  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  SSESpecification: { SSEEnabled: true },
};
export const refused = { name: 'ConditionalCheckFailedException' };

export async function withTable() {
  const { aws, dynamodb } = await awsWithClients();
  await aws.dynamodb.createTable(properties);
  return { aws, dynamodb };
}

export const put = (client: DynamoDBClient, item: Record<string, unknown>, ConditionExpression?: string) =>
  client.send(new PutItemCommand({ TableName, Item: marshall(item), ConditionExpression }));

export const update = (client: DynamoDBClient, pk: string, input: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>) =>
  client.send(new UpdateItemCommand({ TableName, Key: marshall({ pk }), ...input }));
