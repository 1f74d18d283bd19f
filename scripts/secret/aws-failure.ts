/** Creates errors for failed AWS calls, with advice for the user. The SDK's own message is omitted, because it may quote the request. */
import { awsErrorName, explainAwsError } from '../../lib/aws/aws-error.ts';
import { type ErrorCode, FlashBladeError } from '../../lib/core/errors.ts';

const SIGN_IN = 'sign in to AWS (run `aws sso login` or set AWS_PROFILE) and try again';
const KEY = "check that the secret's KMS key is enabled and that your AWS user may use it";
const ADVICE: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'your AWS user needs the permissions listed in docs/secrets-and-trust.md, on the secret and on its KMS key',
  CredentialsProviderError: SIGN_IN,
  DecryptionFailure: KEY,
  EncryptionFailure: KEY,
  ExpiredTokenException: SIGN_IN,
  InvalidRequestException: 'the secret is probably scheduled for deletion, so restore it first',
  InvalidSignatureException: SIGN_IN,
  ResourceExistsException:
    'the secret has no current value, or another process just created it; check the secret in Secrets Manager',
  TokenProviderError: SIGN_IN,
  UnrecognizedClientException: SIGN_IN,
};

/** Returns the error for a failed AWS call. `outcome` is a sentence about the call's effect. */
export function failure(code: ErrorCode, what: string, error: unknown, outcome?: string): FlashBladeError {
  const name = awsErrorName(error);
  const status = statusOf(error);
  const how = status === undefined ? `AWS was unreachable (${name})` : `AWS returned ${name} (${status})`;
  const advice = ADVICE[name];
  const message = `${what}: ${advice === undefined ? explainAwsError(error) : `${how}; ${advice}`}.`;
  return new FlashBladeError(code, outcome === undefined ? message : `${message} ${outcome}`);
}

/**
 * Returns true if AWS refused a call that the SDK tried only once, so the call had no effect. If there were several tries, an earlier one
 * may have had an effect.
 */
export const isRefusal = (error: unknown): boolean =>
  Math.trunc((statusOf(error) ?? 0) / 100) === 4 && metadataOf(error).attempts === 1;

const statusOf = (error: unknown): number | undefined => metadataOf(error).httpStatusCode;

type Metadata = { readonly httpStatusCode?: number; readonly attempts?: number };

const metadataOf = (error: unknown): Metadata => (error as { $metadata?: Metadata } | undefined)?.$metadata ?? {};
