/** Defines and checks the format of an array's secret. Error messages never quote the secret. */
import * as v from 'valibot';
import { FlashBladeError } from '../core/errors.ts';
import { type Address, HOST_RULE, holdsToken, hostFault, parseHost } from '../core/host.ts';
import { jsonFault, parseJson } from '../core/json.ts';
import { apiToken, TOKEN_RULE, type Trust, tokenFault } from '../core/model.ts';
import { check, isObject, listOf, onlyFields, without } from '../core/validation.ts';
import { readPem } from '../flashblade/pem.ts';
import { fingerprintFault, normalFingerprint } from '../flashblade/trust.ts';
import type { ArraySecret } from '../leases/ports.ts';

const ONE_OR_TWO =
  'must be a list of one or two fingerprints: the current one and, during a certificate change, the next one';
const PLAINTEXT = 'Key/value pairs in the Secrets Manager console are always text, so edit the secret as plaintext';
const IN_LIST = 'Put the fingerprint in a list: ["…"]';
const isJson = (text: string): boolean => typeof parseJson(text) === 'object';

/** Returns why `trust` is not an object, or undefined if it is one. */
function trustFault(value: unknown): string | undefined {
  if (isObject(value)) return undefined;
  const rule = 'must be a JSON object with ca or fingerprints';
  if (typeof value !== 'string') return `${rule}. To trust public CAs, omit the field`;
  if (isJson(value)) return `${rule}. ${PLAINTEXT}`;
  if (value.includes('-----BEGIN')) return `${rule}: { "ca": "…" }`;
  if (normalFingerprint(value)) return `${rule}: { "fingerprints": ["…"] }`;
  return `${rule}. To trust public CAs, omit the field. Verification cannot be turned off`;
}

/** Creates the schema on first use, so that a function that reads no secret neither contains nor runs this code. */
function createSchema() {
  const host = v.pipe(
    v.string(HOST_RULE),
    without((value) => hostFault(value)),
  );
  const ca = v.pipe(
    v.string('must be PEM text'),
    without((pem) => readPem(pem).fault),
  );
  const fingerprint = v.pipe(v.string('must be a string'), without(fingerprintFault));
  const fingerprints = v.pipe(
    v.unknown(),
    without((value) =>
      typeof value === 'string' ? `${ONE_OR_TWO}. ${isJson(value) ? PLAINTEXT : IN_LIST}` : undefined,
    ),
    listOf(fingerprint, 2, ONE_OR_TWO),
  );
  const trust = v.pipe(
    v.unknown(),
    without(trustFault),
    onlyFields({ ca: v.optional(ca), fingerprints: v.optional(fingerprints) }),
    v.check(
      (trust) => (trust.ca === undefined) !== (trust.fingerprints === undefined),
      'must have either ca or fingerprints',
    ),
  );
  return v.pipe(
    onlyFields({
      host,
      apiToken: v.pipe(v.string(TOKEN_RULE), without(tokenFault)),
      trust: v.optional(trust),
    }),
    without(({ host, apiToken, trust }) => {
      const fault = hostFault(host, apiToken);
      if (fault !== undefined) return `host ${fault}`;
      // The ledger stores the CA's whole text, including its comments.
      return holdsToken(trust?.ca ?? '', apiToken)
        ? 'trust.ca contains the apiToken. Remove the token from the text'
        : undefined;
    }),
  );
}
type Schema = ReturnType<typeof createSchema>;
let schema: Schema | undefined;

/**
 * Parses the output of GetSecretValue. `name` is the array name, and `id` is the secret name to show in messages. Throws SECRET_INVALID
 * even if only the trust settings are malformed, because no request may be sent with the wrong settings.
 */
export function parseSecret(
  name: string,
  id: string,
  { SecretString, VersionId }: { SecretString?: string | undefined; VersionId?: string | undefined },
): ArraySecret {
  if (SecretString === undefined) {
    throw new FlashBladeError(
      'SECRET_INVALID',
      `secret ${id}: must be text (SecretString), not binary. Store it with --secret-string`,
    );
  }
  const json = parseJson(SecretString);
  if (json === undefined) {
    const rule = `must be a JSON object, but is not valid JSON${jsonFault(SecretString)}`;
    throw new FlashBladeError('SECRET_INVALID', `secret ${id}: ${rule}`);
  }
  schema ??= createSchema();
  const fields = check(schema, json, 'SECRET_INVALID', `secret ${id}`);
  return {
    array: { name, ...(parseHost(fields.host) as Address), trust: trustOf(fields.trust) },
    apiToken: apiToken(fields.apiToken),
    versionId: VersionId ?? 'unknown',
  };
}

function trustOf(trust: v.InferOutput<Schema>['trust']): Trust {
  if (trust?.ca !== undefined) return { kind: 'ca', ca: trust.ca };
  const fingerprints = trust?.fingerprints?.map((value) => normalFingerprint(value) as string);
  return fingerprints ? { kind: 'fingerprints', fingerprints } : { kind: 'public' };
}
