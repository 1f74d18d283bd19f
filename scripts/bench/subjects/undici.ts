/** undici's `dispatch`, its lowest interface: one Client per array. */
import { Client as Connection } from 'undici';
import type { Client, Place } from './client.ts';

type Answered = { readonly token: string; readonly body: string };

export function undiciClient({ host, ca, apiToken }: Place): Client {
  const connections = new Map<number, Connection>();

  function connectionTo(port: number): Connection {
    const connection = connections.get(port) ?? new Connection(`https://${host}:${port}`, { connect: { ca } });
    connections.set(port, connection);
    return connection;
  }

  return {
    cycle: async (port) => {
      const connection = connectionTo(port);
      const { token, body } = await post(connection, '/api/login', ['api-token', apiToken]);
      JSON.parse(body);
      await post(connection, '/api/logout', ['x-auth-token', token]);
    },
    close: () => {
      for (const connection of connections.values()) void connection.destroy();
      connections.clear();
    },
  };
}

function post(connection: Connection, path: string, headers: string[]): Promise<Answered> {
  return new Promise((resolve, reject) => {
    let token = '';
    let body = '';
    connection.dispatch(
      { method: 'POST', path, headers },
      {
        onRequestStart: () => {},
        onResponseStart: (_, status, answered) => {
          token = String(answered['x-auth-token']);
          if (status !== 200) reject(new Error(`the array answered ${status}`));
        },
        onResponseData: (_, chunk) => {
          body += chunk.toString();
        },
        onResponseEnd: () => resolve({ token, body }),
        onResponseError: (_, error) => reject(error),
      },
    );
  });
}
