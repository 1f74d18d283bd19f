/** The command line of `npm run secret`. */
import { readFileSync } from 'node:fs';
import { hostFault, parseHost } from '../../lib/aws/secret-format.ts';
import type { Trust } from '../../lib/core/model.ts';
import { arrayName, check } from '../../lib/core/validation.ts';
import { isCertificates, normalFingerprint } from '../../lib/flashblade/trust.ts';
import { parsed } from '../command-line.ts';
import { type Environment, npmFlags } from '../npm-flags.ts';
import type { Address } from '../trust/look.ts';
import { refuseTokens } from './token-like.ts';

export type Command = {
  /** The array's name in the fleet. */
  readonly name: string;
  /** Absent: as it stands in the secret, or to be asked for. */
  readonly address?: Address;
  /** Absent: as it stands in the secret, or as the certificate suggests. */
  readonly trust?: Trust;
  /** ARN, id or alias of the KMS key of a new secret. */
  readonly kmsKey?: string;
  readonly keepApiToken: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
};

export const USAGE = `npm run secret -- <array> [options]

Writes or updates an array's secret in AWS Secrets Manager: shows the certificate, asks for the API token (or reads it from a
pipe), tries one login and logout on the array, and only then writes. An update keeps what is not given. AWS credentials and
region come from where the AWS tools find them; SECRET_PREFIX and SECRETS_KEY from the environment.

  --host <host[:port]>     default: as in the secret, or asked for
  --ca <file>              trust this private certificate authority: PEM text
  --fingerprint <sha-256>  trust this certificate of the array; during a change twice, the present one and the next
  --public                 trust the public certificate authorities
  --keep-api-token         update the rest
  --kms-key <key>          KMS key of a new secret: ARN, id or alias; default SECRETS_KEY, else the account's own
  --dry-run                do everything but write
  --yes                    ask nothing about a certificate that a given or an earlier trust accepts
  --help

The API token is never an argument. Ends with 0; 1 if something failed; 2 for arguments or environment; 130 after Ctrl-C.`;

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

/** Throws an Error that names the argument and the rule that it breaks, never a value. */
export function readCommand(args: readonly string[], env: Environment = process.env): Command | 'help' {
  refuseTokens(args, npmFlags(env));
  const { values, positionals } = parsed(args, OPTIONS, { positionals: true, env });
  if (values.help) return 'help';
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0)
    throw new Error('say the name of one array; the API token is never an argument, it is asked for');
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
  if (given.length > 1) throw new Error('--ca, --fingerprint and --public exclude each other');
  if (ca !== undefined) return { kind: 'ca', ca: readCertificates(ca) };
  if (fingerprint !== undefined) return { kind: 'fingerprints', fingerprints: fingerprintsIn(fingerprint) };
  return isPublic ? { kind: 'public' } : undefined;
}

function fingerprintsIn(texts: readonly string[]): string[] {
  const fingerprints = texts.map(normalFingerprint).filter((one) => one !== undefined);
  if (fingerprints.length < texts.length)
    throw new Error('--fingerprint must be a SHA-256 fingerprint: 64 hex digits, with or without colons');
  if (fingerprints.length > 2) throw new Error('--fingerprint may be given twice: the current one and the next');
  return fingerprints;
}

function readCertificates(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    throw new Error('--ca must be a file that can be read');
  }
  if (isCertificates(text)) return text;
  throw new Error('--ca must be a file with PEM text of one or more certificates, and nothing else');
}
