/** node:https as its documentation shows it: one Agent that keeps connections, and the authority with every request. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Client, Place } from './client.ts';

export function httpsClient({ host, ca, apiToken }: Place): Client {
  let agent = new Agent({ keepAlive: true });

  async function post(port: number, path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const sent = request({ agent, ca, host, port, method: 'POST', path, headers: { ...headers, 'Content-Length': 0 } });
    const answered = once(sent, 'response');
    sent.end();
    const [answer]: IncomingMessage[] = await answered;
    if (answer?.statusCode !== 200) throw new Error(`the array answered ${answer?.statusCode}`);
    const body = await text(answer);
    if (path === '/api/login') JSON.parse(body);
    return answer;
  }

  return {
    cycle: async (port) => {
      const { headers } = await post(port, '/api/login', { 'api-token': apiToken });
      await post(port, '/api/logout', { 'x-auth-token': `${headers['x-auth-token']}` });
    },
    close: () => {
      agent.destroy();
      agent = new Agent({ keepAlive: true });
    },
  };
}
