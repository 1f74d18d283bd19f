/** What a person can do about an AWS call that failed. The SDK's own messages may quote what was sent: none is repeated. */
import { awsErrorName } from '../../lib/aws/client.ts';
import { type ErrorCode, FlashBladeError } from '../../lib/core/errors.ts';

const SIGN_IN = 'sign in to AWS (`aws sso login`, AWS_PROFILE) and try again';
const KEY = 'look whether its KMS key is enabled and whether your AWS user may use it';
const ADVICE: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'your AWS user needs the permission, on the secret and on its KMS key; docs/secrets-and-trust.md has the list',
  CredentialsProviderError: SIGN_IN,
  DecryptionFailure: KEY,
  EncryptionFailure: KEY,
  ExpiredTokenException: SIGN_IN,
  InvalidRequestException: 'it is probably scheduled for deletion: restore it first',
  InvalidSignatureException: SIGN_IN,
  ResourceExistsException:
    'it exists and has no current value, or it was created at this moment: look at it in Secrets Manager',
  TokenProviderError: SIGN_IN,
  UnrecognizedClientException: SIGN_IN,
};
const OTHERWISE = 'try again';

/** `outcome`: what is known of the effect, as a sentence. */
export function failure(code: ErrorCode, what: string, error: unknown, outcome?: string): FlashBladeError {
  const name = awsErrorName(error);
  const status = statusOf(error);
  const how = status === undefined ? `AWS was unreachable (${name})` : `AWS returned ${name} (${status})`;
  const message = `${what}: ${how}; ${ADVICE[name] ?? OTHERWISE}.`;
  return new FlashBladeError(code, outcome === undefined ? message : `${message} ${outcome}`);
}

/** AWS refused the one and only try: it certainly had no effect. After a try without a response that is not known. */
export const isRefusal = (error: unknown): boolean =>
  Math.trunc((statusOf(error) ?? 0) / 100) === 4 && metadataOf(error).attempts === 1;

const statusOf = (error: unknown): number | undefined => metadataOf(error).httpStatusCode;

type Metadata = { readonly httpStatusCode?: number; readonly attempts?: number };

const metadataOf = (error: unknown): Metadata => (error as { $metadata?: Metadata } | undefined)?.$metadata ?? {};
