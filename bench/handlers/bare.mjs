/** The baseline for a session: makes the given number of conditional DynamoDB puts, then logs in and out with node:https. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

const dynamodb = new DynamoDBClient({});

export const handler = async ({ port, ca, apiToken, table, puts }) => {
  const agent = new Agent({ keepAlive: true });
  const post = async (path, headers) => {
    const sent = request({ agent, ca, host: '127.0.0.1', port, method: 'POST', path, headers });
    const responded = once(sent, 'response');
    sent.end();
    const [response] = await responded;
    await text(response);
    if (response.statusCode !== 200) throw new Error(`the array responded with ${response.statusCode}`);
    return response.headers;
  };
  for (let nth = 0; nth < puts; nth++) {
    const Item = { id: { S: `bare#${randomUUID()}` } };
    await dynamodb.send(
      new PutItemCommand({ TableName: table, Item, ConditionExpression: 'attribute_not_exists(id)' }),
    );
  }
  const { 'x-auth-token': authToken } = await post('/api/login', { 'api-token': apiToken });
  await post('/api/logout', { 'x-auth-token': authToken });
  agent.destroy();
  return null;
};
