/** Defines and checks the format of an array's secret. No message quotes the secret. */
import * as v from 'valibot';
import { FlashBladeError } from '../core/errors.ts';
import { type Address, HOST_RULE, hostFault, parseHost } from '../core/host.ts';
import { apiToken, type Trust } from '../core/model.ts';
import { check, listOf, onlyFields, parseJson, text, without } from '../core/validation.ts';
import { isCertificates, normalFingerprint } from '../flashblade/trust.ts';
import type { ArraySecret } from '../leases/ports.ts';

const host = v.pipe(
  v.string(HOST_RULE),
  without((value) => hostFault(value)),
);
const token = text('must be the API token: 1 to 1024 visible ASCII characters without spaces', /^[!-~]{1,1024}$/);
const ca = text('must be one or more certificates as PEM text, and nothing else', isCertificates);
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
  without(({ host, apiToken }) => {
    const fault = hostFault(host, apiToken);
    return fault && `host ${fault}`;
  }),
);

/**
 * Parses the output of GetSecretValue. `name` is the array name, and `id` is the secret name for messages. Throws SECRET_INVALID even if
 * only the trust is malformed, because no request may be sent with the wrong trust.
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
