/** Reads the real array's settings from environment variables. */
import { readFileSync } from 'node:fs';
import type { RealArray } from '../../contracts/targets/array.ts';
import { hostFault, parseHost } from '../../lib/core/host.ts';
import { apiToken, type Trust, tokenFault } from '../../lib/core/model.ts';
import { readPem } from '../../lib/flashblade/pem.ts';
import { fingerprintFault, normalFingerprint } from '../../lib/flashblade/trust.ts';
import { ask, readPipe, type Terminal } from '../secret/prompt.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Long enough for a password manager that asks for a passphrase. */
const PIPE_MS = 60_000;

/**
 * Returns the environment with FLASHBLADE_API_TOKEN. If the variable is not set, asks for the token on a terminal without showing it, or
 * reads it from a pipe. Throws an Error if another variable is invalid, before anything is asked, and Cancelled on Ctrl-C or a signal.
 */
export async function withApiToken(
  environment: Environment,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Environment> {
  if (environment['FLASHBLADE_API_TOKEN']) return environment;
  readArray({ ...environment, FLASHBLADE_API_TOKEN: 'not-read-yet' });
  const { input, output } = terminal;
  if (input.isTTY) {
    const question = `API token of ${environment['FLASHBLADE_USERNAME']} (hidden): `;
    return { ...environment, FLASHBLADE_API_TOKEN: await ask(terminal, question, { hidden: true, signal }) };
  }
  output.write('FLASHBLADE_API_TOKEN is not set. Reading the API token from the pipe ...\n');
  const limit = AbortSignal.timeout(PIPE_MS);
  try {
    const token = await readPipe(input, AbortSignal.any([signal, limit]));
    return { ...environment, FLASHBLADE_API_TOKEN: token };
  } catch (error) {
    if (limit.aborted) throw new Error('FLASHBLADE_API_TOKEN must be set, because nothing arrived through the pipe');
    throw error;
  }
}

/** Throws an Error that names every missing or invalid variable but never contains a value. */
export function readArray(environment: Environment): RealArray {
  const faults: string[] = [];
  const text = (name: string, rule: string, holds: (value: string) => boolean): string => {
    const value = environment[name] ?? '';
    if (!holds(value)) faults.push(`${name} must be ${rule}`);
    return value;
  };
  const host = environment['FLASHBLADE_HOST'] ?? '';
  const fault = hostFault(host, environment['FLASHBLADE_API_TOKEN']);
  if (fault !== undefined) faults.push(`FLASHBLADE_HOST ${fault}`);
  const token = environment['FLASHBLADE_API_TOKEN'] ?? '';
  const wrongToken = tokenFault(token);
  if (wrongToken !== undefined) faults.push(`FLASHBLADE_API_TOKEN ${wrongToken}`);
  const username = text('FLASHBLADE_USERNAME', 'the name of the user who owns the API token', (value) => value !== '');
  const trust = trustOf(environment, (fault) => faults.push(fault));
  const address = parseHost(host);
  if (faults.length > 0 || trust === undefined || address === undefined) {
    throw new Error(`environment: ${faults.join('; ')}`);
  }
  return { array: { name: address.host, ...address, trust }, apiToken: apiToken(token), username };
}

function trustOf(
  { FLASHBLADE_CA_FILE: caFile = '', FLASHBLADE_FINGERPRINT: fingerprint = '' }: Environment,
  refuse: (fault: string) => void,
): Trust | undefined {
  if ((caFile === '') === (fingerprint === '')) {
    refuse(
      caFile === ''
        ? 'FLASHBLADE_CA_FILE or FLASHBLADE_FINGERPRINT must be set, because no request is sent to an unverified array'
        : 'only one of FLASHBLADE_CA_FILE and FLASHBLADE_FINGERPRINT may be set, but both are',
    );
    return undefined;
  }
  if (caFile !== '') {
    const ca = readText(caFile);
    if (ca === undefined) {
      refuse('FLASHBLADE_CA_FILE must be a readable file');
      return undefined;
    }
    const { fault } = readPem(ca);
    if (fault === undefined) return { kind: 'ca', ca };
    refuse(`FLASHBLADE_CA_FILE: the text in this file ${fault}`);
    return undefined;
  }
  const fingerprints = fingerprint.split(',').map((one) => normalFingerprint(one.trim()));
  if (fingerprints.length <= 2 && fingerprints.every((one) => one !== undefined)) {
    return { kind: 'fingerprints', fingerprints };
  }
  const fault = fingerprint
    .split(',')
    .map((one) => fingerprintFault(one.trim()))
    .find((one) => one !== undefined);
  refuse(
    `FLASHBLADE_FINGERPRINT must be one SHA-256 fingerprint, or two separated by a comma${fault ? `. Each ${fault}` : ''}`,
  );
  return undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
