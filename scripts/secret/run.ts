/** Runs `npm run secret`. */
import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { VARIABLES } from '../../lib/core/config.ts';
import { isFlashBladeError } from '../../lib/core/errors.ts';
import { containsApiToken, NO_API_TOKEN } from '../../lib/core/redact.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { commandOr } from '../command-line.ts';
import { explain } from '../start/failures.ts';
import { type Command, readCommand, USAGE } from './arguments.ts';
import { prepare, type World } from './change.ts';
import { Cancelled, type Terminal } from './prompt.ts';
import { CLIENT_OPTIONS, type NewValue, storeOf } from './store.ts';

export type Surroundings = {
  readonly terminal: Terminal;
  readonly errors: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when this process receives a signal. */
  readonly signal: AbortSignal;
};

/** Returns the exit code: 0 on success, 1 on failure, 2 for invalid arguments or environment, 130 if canceled. Never rejects. */
export async function runSecret(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal, errors } = surroundings;
  const complain = (text: string) => void errors.write(`${text}\n`);
  const say = (text: string) => void terminal.output.write(`${text}\n`);
  const command = commandOr({ read: () => readCommand(args, surroundings.env), usage: USAGE, say, complain });
  if ('exitCode' in command) return command.exitCode;
  const { SECRETS_KEY: key, SECRET_PREFIX: prefix } = surroundings.env;
  for (const [name, value] of Object.entries({ SECRETS_KEY: key, SECRET_PREFIX: prefix })) {
    if (!containsApiToken(value ?? '')) continue;
    complain(`environment variable ${name} ${NO_API_TOKEN}`);
    return 2;
  }
  const client = new SecretsManagerClient(CLIENT_OPTIONS);
  const world: World = {
    terminal,
    store: storeOf(client, prefix || VARIABLES.SECRET_PREFIX.default),
    signal: surroundings.signal,
    say,
    now: Date.now,
    newId: randomUUID,
  };
  try {
    return await change({ ...command, ...(command.kmsKey || !key ? {} : { kmsKey: key }) }, world, complain);
  } finally {
    client.destroy();
    closeConnections();
  }
}

async function change(command: Command, world: World, complain: (text: string) => void): Promise<number> {
  let value: NewValue;
  try {
    value = await prepare(command, world);
  } catch (error) {
    complain(`${world.signal.aborted ? 'interrupted' : explain(error)}\nNothing was written.`);
    return exitCodeOf(error, world.signal);
  }
  if (command.dryRun) {
    world.say(`Nothing was written, because this is a dry run. Without --dry-run, ${plan(value, world)}.`);
    return 0;
  }
  try {
    const { versionId, tagged } = await world.store.write(value);
    world.say(written(value, versionId, world));
    if (!tagged)
      complain(
        "The secret's tags (product, array) could not be written, probably because you lack the secretsmanager:TagResource permission.",
      );
    return 0;
  } catch (error) {
    complain(explain(error));
    return 1;
  }
}

function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) return 130;
  if (error instanceof Cancelled) return error.exitCode;
  return isFlashBladeError(error, 'CONFIG_INVALID', 'REQUEST_INVALID') ? 2 : 1;
}

const plan = ({ name, exists, kmsKey }: NewValue, { store }: World): string =>
  exists
    ? `the secret ${store.idOf(name)} would get a new version`
    : `the secret ${store.idOf(name)} would be created, encrypted with ${kmsKey ?? "the account's default key"}`;

const written = ({ name, exists }: NewValue, versionId: string, { store }: World): string =>
  [
    `Written: secret ${store.idOf(name)}, version ${versionId}.`,
    exists
      ? 'The functions start using this version within five minutes (SECRET_CACHE_SECONDS), or immediately if the array refuses the old API token.'
      : `To try the secret, invoke the login function with { "array": "${name}", "leaseId": "first" }, then logout with { "leaseId": "first" }.`,
  ].join('\n');
