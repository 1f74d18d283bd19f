/** For tests: `npm run secret` in this process, with an array, AWS and a person that are made for the test. */
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CreateSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished } from 'vitest';
import { runSecret } from '../../../scripts/secret/run.ts';
import type { SimulatorOptions } from '../../../simulator/index.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { tokensIn, tokensOf } from '../../kit/leaks.ts';
import { simulated } from '../flashblade/simulated.ts';
import { written } from '../trust-command/written.ts';
import { fakeTerminal, type Reply } from './terminal.ts';

export const HOST = 'Host of the array';
export const CONFIRM = '(yes, no) ';
export const TOKEN = 'API token of the array';
export const ID = 'flashblade/fb1';
const WRITES: readonly string[] = ['CreateSecret', 'PutSecretValue', 'TagResource'];

export type Ended = { readonly code: number; readonly told: string };
type Surroundings = {
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Sessions that are to be left on the array. Default 0. */
  readonly live?: number;
};

export async function secretWorld(options: SimulatorOptions = {}) {
  const { simulator, array } = await simulated({ certificate: 'self-signed', ...options });
  const { aws, secrets } = await awsWithClients();
  const { apiToken, fingerprint } = simulator;
  const key = aws.kms.createKey();
  const host = `127.0.0.1:${array.port}`;
  const others: string[] = [];
  let own = 0;

  async function run(
    args: readonly string[],
    terminal: ReturnType<typeof fakeTerminal>,
    { env = {}, signal = new AbortController().signal, live = 0 }: Surroundings,
  ): Promise<Ended> {
    const errors = written();
    const code = await runSecret(args, { terminal, errors, env, signal });
    await setImmediate();
    const told = terminal.output.text() + errors.text();
    expect(tokensIn(told, [...tokensOf(simulator), ...others])).toEqual([]);
    expect(simulator.sessions()).toHaveLength(live);
    expect(terminal.input.isRaw()).toBe(false);
    return { code, told };
  }

  return {
    ...{ aws, secrets, simulator, apiToken, fingerprint, host, key },
    /** A person sits there. Every reply must be asked for. */
    async atTerminal(args: readonly string[], replies: readonly Reply[], more: Surroundings = {}): Promise<Ended> {
      const terminal = fakeTerminal(...replies);
      const ended = await run(args, terminal, more);
      expect(terminal.unused()).toEqual([]);
      return ended;
    },
    /** Nobody is there; `text` comes through a pipe. */
    async piped(args: readonly string[], text: string, more: Surroundings = {}): Promise<Ended> {
      const terminal = fakeTerminal();
      terminal.input.end(text);
      return run(args, { ...terminal, input: Object.assign(terminal.input, { isTTY: false }) }, more);
    },
    /** The secret as it is now; `changes` to what works. */
    put: (changes: object = {}): string =>
      aws.secrets.put(ID, { host, apiToken, trust: { fingerprints: [fingerprint] }, ...changes }),
    /** The same under a KMS key, by the SDK. */
    async create(value: object, KmsKeyId: string): Promise<void> {
      await secrets.send(new CreateSecretCommand({ Name: ID, SecretString: JSON.stringify(value), KmsKeyId }));
      own = aws.calls.length;
    },
    disableKey: (): void => aws.kms.setEnabled(key.keyId, false),
    file(text: string): string {
      const path = join(tmpdir(), `${randomUUID()}.pem`);
      writeFileSync(path, text);
      onTestFinished(() => rmSync(path));
      return path;
    },
    /** What Secrets Manager holds now. */
    async stored(id = ID): Promise<{ value: unknown; versionId: string | undefined }> {
      const { SecretString = '', VersionId } = await secrets.send(new GetSecretValueCommand({ SecretId: id }));
      return { value: JSON.parse(SecretString), versionId: VersionId };
    },
    /** Calls of the command that may change something. */
    writes: (): string[] => aws.calls.slice(own).flatMap(({ action }) => (WRITES.includes(action) ? [action] : [])),
    logins: (): number => simulator.requests.filter(({ path }) => path === '/api/login').length,
    /** Another token that must not be seen. */
    alsoSecret: (token: string): string => {
      others.push(token);
      return token;
    },
  };
}
