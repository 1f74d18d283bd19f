/** Defines and checks the format of an array's secret. Error messages never quote the secret. */
import { isIP } from 'node:net';
import * as v from 'valibot';
import { FlashBladeError } from '../core/errors.ts';
import { apiToken, type Trust } from '../core/model.ts';
import { isHostLikeApiToken } from '../core/redact.ts';
import { check, listOf, onlyFields, parseJson, text } from '../core/validation.ts';
import { readPem } from '../flashblade/pem.ts';
import { normalFingerprint } from '../flashblade/trust.ts';
import type { ArraySecret } from '../leases/ports.ts';

const DEFAULT_PORT = 443;
const HOST_RULE = 'must be a DNS name (ASCII), an IPv4 address or an IPv6 address in brackets, with or without :port';
const SWAPPED = 'looks like an API token. Were host and apiToken swapped?';
const HOLDS_TOKEN = 'contains the apiToken. Correct the host';
/** Hosts are not searched for shorter API tokens, which could appear in a host by chance. */
const MIN_FOUND_LENGTH = 8;

const host = v.pipe(
  v.string(HOST_RULE),
  v.check((value) => !isHostLikeApiToken(value), SWAPPED),
  v.check((value) => parseHost(value) !== undefined, HOST_RULE),
);
const token = text('must be the API token: 1 to 1024 visible ASCII characters without spaces', /^[!-~]{1,1024}$/);
const ca = v.pipe(
  v.string('must be one or more certificates as PEM text'),
  v.check(
    (pem) => readPem(pem).fault === undefined,
    ({ input }) => readPem(input).fault ?? '',
  ),
);
const fingerprint = text(
  'must be a SHA-256 fingerprint: 64 hex digits, with or without colons',
  (value) => normalFingerprint(value) !== undefined,
);
const ONE_OR_TWO =
  'must be a list of one or two fingerprints: the current one and, during a certificate change, the next one';

const secret = v.pipe(
  onlyFields({
    host,
    apiToken: token,
    trust: v.optional(
      v.pipe(
        onlyFields({ ca: v.optional(ca), fingerprints: v.optional(listOf(fingerprint, 2, ONE_OR_TWO)) }),
        v.check(
          (trust) => (trust.ca === undefined) !== (trust.fingerprints === undefined),
          'must have either ca or fingerprints',
        ),
      ),
    ),
  }),
  v.check(({ host, apiToken }) => !holdsToken(host, apiToken), `host ${HOLDS_TOKEN}`),
  // The ledger stores the whole text of the CA, including comments.
  v.check(
    ({ apiToken, trust }) => apiToken.length < MIN_FOUND_LENGTH || !trust?.ca?.includes(apiToken),
    'trust.ca contains the apiToken. Remove it from the text',
  ),
);

// A host appears in DNS queries, messages and KMS encryption contexts, so it must not contain the token.
function holdsToken(host: string, token: string): boolean {
  const [hostText, tokenText] = [host.toLowerCase(), token.toLowerCase()];
  return hostText === tokenText || (token.length >= MIN_FOUND_LENGTH && hostText.includes(tokenText));
}

/**
 * Parses the output of GetSecretValue. `name` is the array name, and `id` is the secret name to show in messages. Throws SECRET_INVALID
 * even if only the trust is malformed, because no request may be sent with the wrong trust.
 */
export function parseSecret(
  name: string,
  id: string,
  { SecretString, VersionId }: { SecretString?: string | undefined; VersionId?: string | undefined },
): ArraySecret {
  if (SecretString === undefined) {
    throw new FlashBladeError('SECRET_INVALID', `secret ${id}: must be text (SecretString), not binary`);
  }
  const fields = check(secret, parseJson(SecretString), 'SECRET_INVALID', `secret ${id}`);
  return {
    array: { name, ...(parseHost(fields.host) as Address), trust: trustOf(fields.trust) },
    apiToken: apiToken(fields.apiToken),
    versionId: VersionId ?? 'unknown',
  };
}

function trustOf(trust: v.InferOutput<typeof secret>['trust']): Trust {
  if (trust?.ca !== undefined) return { kind: 'ca', ca: trust.ca };
  const fingerprints = trust?.fingerprints?.map((value) => normalFingerprint(value) as string);
  return fingerprints ? { kind: 'fingerprints', fingerprints } : { kind: 'public' };
}

type Address = { readonly host: string; readonly port: number };

/**
 * Returns the reason why a host is invalid, worded to follow `the host `, or undefined if the host is valid. A host that contains
 * `apiToken` is invalid.
 */
export function hostFault(value: string, apiToken = ''): string | undefined {
  if (isHostLikeApiToken(value)) return SWAPPED;
  if (apiToken !== '' && holdsToken(value, apiToken)) return HOLDS_TOKEN;
  return parseHost(value) === undefined ? HOST_RULE : undefined;
}

/** Parses a host and strips the brackets from an IPv6 address. Returns undefined if the host is invalid or looks like an API token. */
export function parseHost(value: string): Address | undefined {
  if (isHostLikeApiToken(value)) return undefined;
  const parts = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.-]{1,253}))(?::(\d{1,5}))?$/.exec(value);
  if (!parts) return undefined;
  const port = parts[3] === undefined ? DEFAULT_PORT : Number(parts[3]);
  if (port < 1 || port > 65_535) return undefined;
  if (parts[1] !== undefined) return isIP(parts[1]) === 6 ? { host: parts[1], port } : undefined;
  const name = (parts[2] as string).toLowerCase();
  return isIP(name) === 4 || isDnsName(name) ? { host: name, port } : undefined;
}

// The last label must start with a letter, because some resolvers read "10.1" and "0x7f.1" as IP addresses.
function isDnsName(name: string): boolean {
  const labels = name.split('.');
  return (
    labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
    /^[a-z]/.test(labels.at(-1) as string)
  );
}
