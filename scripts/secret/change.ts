/**
 * Runs the steps that precede writing a secret: current secret → certificate → API token → one login and logout. Each step must succeed.
 */
import { parseSecret } from '../../lib/aws/secret-format.ts';
import { FlashBladeError } from '../../lib/core/errors.ts';
import { hostFault, parseHost } from '../../lib/core/host.ts';
import { type ApiToken, apiToken, type FlashBlade } from '../../lib/core/model.ts';
import { type Address, look } from '../trust/look.ts';
import { reportOf, trustFor } from '../trust/report.ts';
import { COMPARE, reportText } from '../trust/screen.ts';
import { verify } from '../trust/verify.ts';
import type { Command } from './arguments.ts';
import { ask, Cancelled, readPipe, type Terminal } from './prompt.ts';
import type { NewValue, Old, Store } from './store.ts';
import { secretText, tryOut } from './value.ts';

export type World = {
  readonly terminal: Terminal;
  readonly store: Store;
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Returns a new id each time. */
  readonly newId: () => string;
};

/** Does everything except write the secret. Throws FlashBladeError, Cancelled or a plain Error. */
export async function prepare(command: Command, world: World): Promise<NewValue> {
  const { name } = command;
  const { store, signal, say } = world;
  const old = await store.read(name, signal);
  say(currentText(old, store.idOf(name)));
  mustBeComplete(command, old, world.terminal);
  const { host, port } = command.address ?? old.secret?.array ?? (await askForHost(world));
  const array = await trustedArray(command, old, { host, port }, world);
  const token = await tokenFor(command, old, world);
  const text = secretText(array, token);
  mustFit(text);
  const secret = parseSecret(name, store.idOf(name), { SecretString: text });
  if (signal.aborted) throw new Cancelled(130);
  const username = await tryOut(secret.array, secret.apiToken);
  if (signal.aborted) throw new Cancelled(130);
  say(`The array accepted the API token for user ${username}. The test session is closed.`);
  return { name, text, exists: old.exists, kmsKey: command.kmsKey, attemptId: world.newId() };
}

function currentText(old: Old, id: string): string {
  if (!old.exists) return `The secret ${id} does not exist. It will be created.`;
  if (old.secret) return `The secret ${id} exists. Values that you do not specify stay unchanged.`;
  return `The secret ${id} is invalid and will be replaced completely (${old.fault}).`;
}

/** Throws if a value is missing and the input is not a terminal, because the command then cannot ask for the value. */
function mustBeComplete(command: Command, { secret }: Old, { input }: Terminal): void {
  if (command.keepApiToken && !secret)
    throw missing('--keep-api-token requires an existing secret with a valid API token');
  if (input.isTTY) return;
  if (!command.address && !secret) throw missing('--host is required if the input is not a terminal');
  if (!command.trust && !secret)
    throw missing('--ca, --fingerprint or --public is required if the input is not a terminal');
  if (!command.yes) throw missing('--yes is required if the input is not a terminal');
}

const missing = (what: string): FlashBladeError => new FlashBladeError('REQUEST_INVALID', what);

async function askForHost({ terminal, signal }: World): Promise<Address> {
  const host = await ask(terminal, 'Array host (add :port if the port is not 443): ', { signal });
  const address = parseHost(host);
  if (address === undefined) throw new Error(`the host ${hostFault(host)}`);
  return address;
}

/** Returns the array with trust settings that accept the current certificate. The user has confirmed these settings. */
async function trustedArray(command: Command, old: Old, address: Address, world: World): Promise<FlashBlade> {
  const { terminal, signal, say, now } = world;
  const presented = await look(address, { signal });
  say(`\n${reportText(reportOf(address, presented, now()))}\n`);
  const current = old.secret?.array.trust;
  const array = { name: command.name, ...address, trust: command.trust ?? current ?? trustFor(presented) };
  const origin = command.trust ? 'the command line' : current ? 'the current secret' : "the server's own certificate";
  say(`Trust: ${TRUSTS[array.trust.kind]} (from ${origin}).`);
  await verify(array);
  if (command.yes && (command.trust ?? current)) return array;
  say(`\n${COMPARE}\n`);
  const answer = await ask(terminal, 'Does the fingerprint match the one that your array shows? (yes/no) ', { signal });
  if (!/^y(es)?$/i.test(answer)) throw new Error('the certificate was not confirmed');
  return array;
}

/** Throws if the secret is too large. Secrets Manager would also refuse it, but only after the test login. */
function mustFit(text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_SECRET_BYTES) return;
  throw new Error(
    `the secret would have ${bytes} bytes, but Secrets Manager accepts at most ${MAX_SECRET_BYTES}. In the --ca file, keep only the certificates that the array needs`,
  );
}

const MAX_SECRET_BYTES = 65_536;

const TRUSTS = {
  public: 'the public certificate authorities',
  ca: 'a private certificate authority',
  fingerprints: "the fingerprint of the array's certificate",
} as const;

/** Reads the API token from a pipe or, without echo, from the terminal. Keeps the current token if the user asks for that. */
async function tokenFor({ keepApiToken }: Command, { secret }: Old, world: World): Promise<ApiToken> {
  const { terminal, signal } = world;
  if (secret && keepApiToken) return secret.apiToken;
  const keep = secret ? '; press Enter to keep the current token' : '';
  const question = `API token for the array user (input is hidden${keep}): `;
  const given = apiToken(
    terminal.input.isTTY
      ? await ask(terminal, question, { hidden: true, signal })
      : await readPipe(terminal.input, signal),
  );
  if (given.reveal() !== '') return given;
  if (secret && terminal.input.isTTY) return secret.apiToken;
  throw new Error(terminal.input.isTTY ? 'no API token was entered' : 'no API token was piped in');
}
