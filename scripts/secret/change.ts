/** The order of steps: what is there → certificate → API token → one login and logout. Nothing is written before all of it holds. */
import { hostFault, parseHost, parseSecret } from '../../lib/aws/secret-format.ts';
import { FlashBladeError } from '../../lib/core/errors.ts';
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
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Never the same twice. */
  readonly newId: () => string;
};

/** All but the writing. Throws FlashBladeError, Cancelled or an Error; then nothing was written. */
export async function prepare(command: Command, world: World): Promise<NewValue> {
  const { name } = command;
  const { store, signal, say } = world;
  const old = await store.read(name, signal);
  tellOfOld(old, store.idOf(name), say);
  mustBeComplete(command, old, world.terminal);
  const { host, port } = command.address ?? old.secret?.array ?? (await askForHost(world));
  const array = await believed(command, old, { host, port }, world);
  const token = await tokenFor(command, old, world);
  const text = secretText(array, token);
  const secret = parseSecret(name, store.idOf(name), { SecretString: text });
  if (signal.aborted) throw new Cancelled(130);
  const username = await tryOut(secret.array, secret.apiToken);
  if (signal.aborted) throw new Cancelled(130);
  say(`The array took the API token of user ${username}; the session that tried it is closed.`);
  return { name, text, exists: old.exists, kmsKey: command.kmsKey, attemptId: world.newId() };
}

function tellOfOld(old: Old, id: string, say: World['say']): void {
  if (!old.exists) say(`There is no secret ${id}: it will be made.`);
  else if (old.secret) say(`The secret ${id} is there: what is not given stays as it is.`);
  else say(`The secret ${id} cannot be used and will be replaced as a whole (${old.fault}).`);
}

/** A user who pipes the API token cannot be asked anything. */
function mustBeComplete(command: Command, { secret }: Old, { input }: Terminal): void {
  if (command.keepApiToken && !secret) throw missing('--keep-api-token needs a secret whose API token can be kept');
  if (input.isTTY) return;
  if (!command.address && !secret) throw missing('without a terminal to ask at, --host is needed');
  if (!command.trust && !secret)
    throw missing('without a terminal to ask at, --ca, --fingerprint or --public is needed');
  if (!command.yes) throw missing('without a terminal to ask at, --yes is needed');
}

const missing = (what: string): FlashBladeError => new FlashBladeError('REQUEST_INVALID', what);

async function askForHost({ terminal, signal }: World): Promise<Address> {
  const host = await ask(terminal, 'Host of the array, with :port if it is not 443: ', { signal });
  const address = parseHost(host);
  if (address === undefined) throw new Error(`the host ${hostFault(host)}`);
  return address;
}

/** The array, with a trust that accepts it at this moment and that the user has confirmed. */
async function believed(command: Command, old: Old, address: Address, world: World): Promise<FlashBlade> {
  const { terminal, signal, say, now } = world;
  const presented = await look(address, { signal });
  say(`\n${reportText(reportOf(address, presented, now()))}\n`);
  const earlier = old.secret?.array.trust;
  const array = { name: command.name, ...address, trust: command.trust ?? earlier ?? trustFor(presented) };
  say(trustText(array, command.trust ? 'given' : earlier ? 'as in the present secret' : 'by what was presented'));
  await verify(array);
  if (command.yes && (command.trust ?? earlier)) return array;
  say(`\n${COMPARE}\n`);
  const answer = await ask(terminal, "Is the server's own certificate what your array shows? (yes, no) ", { signal });
  if (!/^y(es)?$/i.test(answer)) throw new Error('the certificate was not confirmed');
  return array;
}

const TRUSTS = {
  public: 'the public certificate authorities',
  ca: 'a certificate authority of your own',
  fingerprints: "the fingerprint of the array's certificate",
} as const;

const trustText = ({ trust }: FlashBlade, origin: string): string => `Trust: ${TRUSTS[trust.kind]}, ${origin}.`;

/** From the terminal without echo, from a pipe, or as it was. */
async function tokenFor({ keepApiToken }: Command, { secret }: Old, world: World): Promise<ApiToken> {
  const { terminal, signal } = world;
  if (secret && keepApiToken) return secret.apiToken;
  const keep = secret ? '; Enter keeps the present one' : '';
  const question = `API token of the array's user (what you type is not shown${keep}): `;
  const given = apiToken(
    terminal.input.isTTY
      ? await ask(terminal, question, { hidden: true, signal })
      : await readPipe(terminal.input, signal),
  );
  if (given.reveal() !== '') return given;
  if (secret && terminal.input.isTTY) return secret.apiToken;
  throw new Error(`no API token was ${terminal.input.isTTY ? 'typed' : 'in the pipe'}`);
}
