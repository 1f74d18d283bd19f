/** An array that returns any response, and a trap that every other name and address leads to. */
import { isIP } from 'node:net';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { apiToken, authToken, type FlashBlade } from '../../../lib/core/model.ts';
import { apiVersions, login, logout, request } from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import { hasAddress, resolveNames, startListener } from './listeners.ts';
import { CANARY } from './values.ts';

/** The array's name; every other name leads to the trap. */
export const NAME = 'fb1.example.com';
export const HOME = '127.0.0.1';
export const ELSEWHERE = '127.0.0.2';
/** The trap needs a second loopback address. On macOS, `sudo ifconfig lo0 alias 127.0.0.2` adds it. */
export const HAS_ELSEWHERE = await hasAddress(ELSEWHERE);

export type World = Awaited<ReturnType<typeof startWorld>>;

/** `kind`: a `trusted` trap has a certificate of the array's CA for all names and addresses, a `stranger` has one of another CA. */
export async function startWorld(kind: 'trusted' | 'stranger') {
  const [own, other] = await Promise.all([createAuthority(), createAuthority()]);
  const all = { names: [NAME, 'localhost', 'evil.example'], addresses: [HOME, ELSEWHERE, '::1'] };
  let answer = '';
  const home = await startListener({ address: HOME }, await own.issue(all), () => answer);
  const { port } = home;
  const issuer = kind === 'trusted' ? own : other;
  const trap = await startListener(
    { address: ELSEWHERE, port },
    await issuer.issue(all),
    () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  );
  const restore = resolveNames((name) => [name === NAME ? HOME : ELSEWHERE]);

  /**
   * Ends all connections and judges what was received since the last verdict. `requests`: those that the array received. `what`: what is
   * wrong, such as bytes anywhere else, a connection to the trap, another host or path.
   */
  async function verdict() {
    closeConnections();
    await Promise.all([home.settled(), trap.settled()]);
    const [own, stray] = [home.drain(), trap.drain()];
    const requests = own.text.match(/^[A-Z]+ .*$/gm) ?? [];
    const names = own.text.match(/^host:.*$/gim) ?? [];
    const odd = [...requests, ...names].find((line) => !isProper(line.trim()));
    const what =
      (stray.text !== '' && `another listener heard ${stray.text.length} bytes`) ||
      (kind === 'trusted' && stray.connections > 0 && 'another listener was called') ||
      (odd !== undefined && `the array was asked with ${odd}`) ||
      undefined;
    return { requests: requests.length, what };
  }
  const isProper = (line: string): boolean =>
    line === `Host: ${NAME}:${port}` || /^(GET|POST) \/api\/[!-~]+ HTTP\/1\.1$/.test(line);

  return {
    array: { name: 'fb1', host: NAME, port, trust: { kind: 'ca', ca: own.certificate } } satisfies FlashBlade,
    /** Sets the response that the array sends from now on. */
    answerWith: (text: string): void => {
      answer = text;
    },
    verdict,
    stop: async (): Promise<void> => {
      restore();
      closeConnections();
      await Promise.all([home.stop(), trap.stop()]);
    },
  };
}

/**
 * Makes every call that carries a token, and one that carries none. Throws unless each succeeds or fails with an error that
 * contains no token.
 */
export async function callAll(array: FlashBlade, path = '/api/2.4/arrays'): Promise<void> {
  const session = { array, authToken: authToken(CANARY), username: 'u' };
  for (const call of [
    () => login(array, apiToken(CANARY)),
    () => request(session, { method: 'GET', path }),
    () => logout(session),
    () => apiVersions(array),
  ]) {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof FlashBladeError) || error.code === 'INTERNAL') throw error;
      if (`${error.stack}${JSON.stringify(error)}`.includes(CANARY.slice(2)))
        throw new Error('an error contains the token');
    }
  }
}

/** Logs in at the host of this secret, if the secret is accepted. */
export async function callHost({ array: { trust, port } }: World, host: string): Promise<void> {
  const ca = trust.kind === 'ca' ? trust.ca : '';
  let array: FlashBlade;
  try {
    const SecretString = JSON.stringify({ host, apiToken: CANARY, trust: { ca } });
    array = parseSecret('fb1', 'flashblade/fb1', { SecretString }).array;
  } catch (error) {
    if (error instanceof FlashBladeError && error.code === 'SECRET_INVALID') return;
    throw error;
  }
  // Only loopback is called, and only at the port of the two listeners.
  const isLoopback = isIP(array.host) === 0 || /^(127\.|::1$|::ffff:127\.)/.test(array.host);
  if (isLoopback && array.port === port) await callAll(array);
}
