/** The global fetch. Its connections are its own: nobody can close them. */
import { setDefaultCACertificates } from 'node:tls';
import type { Client, Place } from './client.ts';

export function fetchClient({ host, ca, apiToken }: Place): Client {
  setDefaultCACertificates([ca]);

  async function post(port: number, path: string, headers: Record<string, string>): Promise<Response> {
    const answer = await fetch(`https://${host}:${port}${path}`, { method: 'POST', headers });
    if (answer.status !== 200) throw new Error(`the array answered ${answer.status}`);
    return answer;
  }

  return {
    cycle: async (port) => {
      const login = await post(port, '/api/login', { 'api-token': apiToken });
      await login.json();
      const logout = await post(port, '/api/logout', { 'x-auth-token': login.headers.get('x-auth-token') ?? '' });
      await logout.text();
    },
    close: () => {},
  };
}
