/** An array that sends any response that a test plans, and records every byte that it receives. */
import { createAuthority } from '../../../simulator/certificates.ts';
import { startListener } from '../../proofs/hostile/listeners.ts';
import { goodLogin, goodLogout, goodRead } from './echoes.ts';

/** The two headers in which tokens belong, as a whole. */
const TOKEN_HEADERS = /^(api-token|x-auth-token): [!-~]+\r\n/gim;

/** `newToken` makes the auth tokens of its sessions. Lives until `stop`. */
export async function startEchoArray(newToken: () => string) {
  const authority = await createAuthority();
  const opened: string[] = [];
  let heard = '';
  let planned: { readonly path: string; readonly text: (opened: string) => string } | undefined;

  function open(): string {
    opened.push(newToken());
    return opened.at(-1) ?? '';
  }
  function answerTo(request: string): string {
    const [, path = ''] = request.split(' ');
    if (planned !== undefined && path.startsWith(planned.path)) {
      const { text } = planned;
      planned = undefined;
      return text(open());
    }
    if (path === '/api/login') return goodLogin(open());
    return path === '/api/logout' ? goodLogout : goodRead;
  }
  const { port, drain, stop } = await startListener({ address: '127.0.0.1' }, await authority.issue(), answerTo);

  return {
    host: `127.0.0.1:${port}`,
    certificate: authority.certificate,
    /** Auth tokens of all sessions, the newest last. */
    opened: opened as readonly string[],
    /** During `work`, sends this response to the next request for the path. `text` receives an auth token to open a session with. */
    answering: async (path: string, text: (opened: string) => string, work: () => Promise<unknown>): Promise<void> => {
      planned = { path, text };
      try {
        await work();
        if (planned !== undefined) throw new Error(`The array was not asked for ${path}`);
      } finally {
        planned = undefined;
      }
    },
    /** Everything that it received, without the values of the two headers. */
    heard: (): string => {
      heard += drain().text.replace(TOKEN_HEADERS, '$1: …\r\n');
      return heard;
    },
    stop,
  };
}
