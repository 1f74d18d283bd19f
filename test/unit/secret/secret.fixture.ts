/** Runs `npm run secret` in this process, with a simulated array, stand-ins for AWS and a simulated user. */
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

export const HOST = 'Array host';
export const CONFIRM = '(yes/no) ';
export const TOKEN = 'API token for the array user';
export const ID = 'flashblade/fb1';
const WRITES: readonly string[] = ['CreateSecret', 'PutSecretValue', 'TagResource'];

export type Ended = { readonly code: number; readonly printed: string };
type Surroundings = {
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** The number of sessions that must be left on the array. Default: 0. */
  readonly live?: number;
};

export async function secretWorld(options: SimulatorOptions = {}) {
  const { simulator, array } = await simulated({ certificate: 'self-signed', ...options });
  const { aws, secrets } = await awsWithClients();
  const { apiToken, fingerprint } = simulator;
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
    const printed = terminal.output.text() + errors.text();
    expect(tokensIn(printed, [...tokensOf(simulator), ...others])).toEqual([]);
    expect(simulator.sessions()).toHaveLength(live);
    expect(terminal.input.isRaw()).toBe(false);
    return { code, printed };
  }

  return {
    ...{ aws, secrets, simulator, apiToken, fingerprint, host },
    /** Runs the command at a terminal. The command must ask for every reply. */
    async atTerminal(args: readonly string[], replies: readonly Reply[], more: Surroundings = {}): Promise<Ended> {
      const terminal = fakeTerminal(...replies);
      const ended = await run(args, terminal, more);
      expect(terminal.unused()).toEqual([]);
      return ended;
    },
    /** Runs the command with `text` from a pipe. */
    async piped(args: readonly string[], text: string, more: Surroundings = {}): Promise<Ended> {
      const terminal = fakeTerminal();
      terminal.input.end(text);
      return run(args, { ...terminal, input: Object.assign(terminal.input, { isTTY: false }) }, more);
    },
    /** Stores a valid secret with `changes`. */
    put: (changes: object = {}): string =>
      aws.secrets.put(ID, { host, apiToken, trust: { fingerprints: [fingerprint] }, ...changes }),
    /** Creates the secret with a KMS key, through the SDK. */
    async create(value: object, KmsKeyId: string): Promise<void> {
      await secrets.send(new CreateSecretCommand({ Name: ID, SecretString: JSON.stringify(value), KmsKeyId }));
      own = aws.calls.length;
    },
    file(text: string): string {
      const path = join(tmpdir(), `${randomUUID()}.pem`);
      writeFileSync(path, text);
      onTestFinished(() => rmSync(path));
      return path;
    },
    /** The current value in Secrets Manager. */
    async stored(id = ID): Promise<{ value: unknown; versionId: string | undefined }> {
      const { SecretString = '', VersionId } = await secrets.send(new GetSecretValueCommand({ SecretId: id }));
      return { value: JSON.parse(SecretString), versionId: VersionId };
    },
    /** The write calls of the command. */
    writes: (): string[] => aws.calls.slice(own).flatMap(({ action }) => (WRITES.includes(action) ? [action] : [])),
    logins: (): number => simulator.requests.filter(({ path }) => path === '/api/login').length,
    /** Another token that must not be printed. */
    alsoSecret: (token: string): string => {
      others.push(token);
      return token;
    },
  };
}
