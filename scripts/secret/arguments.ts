/** Parses the arguments of `npm run secret`. */
import { readFileSync } from 'node:fs';
import { hostFault, parseHost } from '../../lib/core/host.ts';
import type { Trust } from '../../lib/core/model.ts';
import { arrayName, check } from '../../lib/core/validation.ts';
import { readPem } from '../../lib/flashblade/pem.ts';
import { fingerprintFault, normalFingerprint } from '../../lib/flashblade/trust.ts';
import { parsed } from '../command-line.ts';
import { type Environment, npmFlags } from '../npm-flags.ts';
import type { Address } from '../trust/look.ts';
import { refuseTokens } from './token-like.ts';

export type Command = {
  /** The array name. */
  readonly name: string;
  /** If absent, the command uses the address in the current secret, or asks for one. */
  readonly address?: Address;
  /** If absent, the command uses the trust settings in the current secret, or derives them from the certificate. */
  readonly trust?: Trust;
  /** ARN, id or alias of the KMS key for a new secret. */
  readonly kmsKey?: string;
  readonly keepApiToken: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
};

export const USAGE = `npm run secret -- <array> [options]

Creates or updates an array's secret in AWS Secrets Manager. The command shows the array's certificate, asks for the API token (or
reads it from a pipe), and tries one login and logout. It writes the secret only if every step succeeds. An update changes only
what you specify. AWS credentials and region come from the standard AWS settings. SECRET_PREFIX and SECRETS_KEY come from the environment.

  --host <host[:port]>     default: the host in the current secret; otherwise, the command asks for one
  --ca <file>              trust this private certificate authority (PEM file)
  --fingerprint <sha-256>  trust the certificate with this fingerprint; repeat to trust the next certificate too
  --public                 trust public certificate authorities
  --keep-api-token         keep the current API token
  --kms-key <key>          KMS key for a new secret (ARN, id or alias); default: SECRETS_KEY, then the account's default key
  --dry-run                do everything except write
  --yes                    do not ask to confirm a certificate that the specified or current trust accepts
  --help

Never pass the API token as an argument.
Exit codes: 0 on success, 1 on failure, 2 for invalid arguments or environment, 130 after Ctrl-C.`;

const OPTIONS = {
  host: { type: 'string' },
  ca: { type: 'string' },
  fingerprint: { type: 'string', multiple: true },
  public: { type: 'boolean' },
  'keep-api-token': { type: 'boolean' },
  'kms-key': { type: 'string' },
  'dry-run': { type: 'boolean' },
  yes: { type: 'boolean' },
} as const;

/** Throws an Error that names the argument and the rule it breaks, but never contains a value. */
export function readCommand(args: readonly string[], env: Environment = process.env): Command | 'help' {
  refuseTokens(args, npmFlags(env));
  const { values, positionals } = parsed(args, OPTIONS, { positionals: true, env });
  if (values.help) return 'help';
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0)
    throw new Error(
      'pass the name of one array; never pass the API token as an argument, because the command asks for it',
    );
  const { host, ca, fingerprint, 'kms-key': kmsKey } = values;
  const trust = trustOf({ ca, fingerprint, public: values.public });
  return {
    name: check(arrayName, name, 'REQUEST_INVALID', 'the array'),
    ...(host === undefined ? {} : { address: addressIn(host) }),
    ...(trust === undefined ? {} : { trust }),
    ...(kmsKey === undefined ? {} : { kmsKey }),
    keepApiToken: values['keep-api-token'] ?? false,
    dryRun: values['dry-run'] ?? false,
    yes: values.yes ?? false,
  };
}

function addressIn(host: string): Address {
  const address = parseHost(host);
  if (address === undefined) throw new Error(`--host ${hostFault(host)}`);
  return address;
}

type Given = {
  readonly ca: string | undefined;
  readonly fingerprint: readonly string[] | undefined;
  readonly public: boolean | undefined;
};

function trustOf({ ca, fingerprint, public: isPublic }: Given): Trust | undefined {
  const given = [ca, fingerprint, isPublic].filter((one) => one !== undefined);
  if (given.length > 1) throw new Error('--ca, --fingerprint and --public cannot be combined');
  if (ca !== undefined) return { kind: 'ca', ca: readCertificates(ca) };
  if (fingerprint !== undefined) return { kind: 'fingerprints', fingerprints: fingerprintsIn(fingerprint) };
  return isPublic ? { kind: 'public' } : undefined;
}

function fingerprintsIn(texts: readonly string[]): string[] {
  const fault = texts.map(fingerprintFault).find((one) => one !== undefined);
  if (fault !== undefined) throw new Error(`--fingerprint ${fault}`);
  const fingerprints = texts.map((text) => normalFingerprint(text) as string);
  if (fingerprints.length > 2)
    throw new Error('--fingerprint can be used at most twice: for the current and the next certificate');
  return fingerprints;
}

function readCertificates(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    throw new Error('--ca must be a readable file');
  }
  const { fault } = readPem(text);
  if (fault === undefined) return text;
  throw new Error(`--ca: the text in this file ${fault}`);
}
