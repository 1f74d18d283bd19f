/** Finds and starts moto's server, an implementation of AWS that this project does not contain. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';

/** The version that CI installs. */
export const MOTO_VERSION = '5.2.3';
export const INSTALL = `pip install 'moto[server]==${MOTO_VERSION}'`;

export const REGION = 'eu-central-1';
export const ACCOUNT = '123456789012';

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the command that starts moto's server, from `MOTO_SERVER` or the search path. Returns undefined if there is none. */
export function motoCommand({ MOTO_SERVER: given = '', PATH = '' }: Environment): string[] | undefined {
  const words = given.split(' ').filter((word) => word !== '');
  if (words.length > 0) return words;
  return PATH.split(delimiter).some((folder) => isExecutable(join(folder, 'moto_server')))
    ? ['moto_server']
    : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export type Moto = Awaited<ReturnType<typeof startMoto>>;

/** Starts moto's server on a free loopback port. Until `enforce`, moto checks neither signatures nor permissions. */
export async function startMoto() {
  const [program = '', ...args] = motoCommand(process.env) ?? [];
  const child = spawn(program, [...args, '-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): unknown => child.kill('SIGKILL');
  process.once('exit', kill);
  let log = '';
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  child
    .once('close', () => resolve())
    .once('error', (error) => {
      log += error.message;
      resolve();
    });
  const url = await Promise.race([listening([child.stdout, child.stderr], (text) => (log += text)), ended]);
  if (url === undefined) throw new Error(`moto did not start. Install it with ${INSTALL}\n${log}`);

  const setAuthentication = async (after: number): Promise<void> => {
    // moto expects how many calls it must serve before it checks permissions.
    const response = await fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: String(after) });
    if (!response.ok) throw new Error(`moto answered ${response.status} to reset-auth`);
  };

  return {
    url,
    /** From now on, moto checks the signature and the permissions of every call. */
    enforce: (): Promise<void> => setAuthentication(0),
    /** From now on, moto checks nothing. */
    trust: (): Promise<void> => setAuthentication(1e9),
    /** Everything that moto has written. */
    log: (): string => log,
    stop: async (): Promise<void> => {
      process.off('exit', kill);
      kill();
      await ended;
    },
  };
}

/** Resolves with the server's URL once it is listening. */
function listening(streams: readonly Readable[], note: (text: string) => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let seen = '';
  for (const stream of streams) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      note(text);
      seen += text;
      const [, url] = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(seen) ?? [];
      if (url !== undefined) resolve(url);
    });
  }
  return promise;
}

/**
 * Makes a call without a signature, so only while moto checks nothing. Sets up what AWS's own services or an administrator would set up.
 * `target` is the prefix of actions in AWS's JSON protocol; without it, the call uses the query protocol. Returns the response's body.
 */
export async function unsigned(url: string, service: string, input: Input, target?: string): Promise<string> {
  const { Action, ...rest } = input;
  const credential = `AKIAUNSIGNED/20000101/${REGION}/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=none`;
  const json = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `${target}.${Action}` };
  const response = await fetch(url, {
    method: 'POST',
    headers: target === undefined ? { authorization } : { authorization, ...json },
    body: target === undefined ? new URLSearchParams(input) : JSON.stringify(rest),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`moto answered ${response.status} to ${service}:${Action}: ${text}`);
  return text;
}

type Input = Readonly<Record<string, string>> & { readonly Action: string };

/** The text of the first element with this name. */
export function element(xml: string, name: string): string {
  const [, text] = new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml) ?? [];
  if (text === undefined) throw new Error(`no ${name} in ${xml.slice(0, 500)}`);
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#34;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
