/**
 * Explains errors from the AWS SDK, and says what to do about them. The SDK's own message is never used, because it may quote what was
 * sent or received. "Try again" is only advised where that can help. The error code does not depend on the cause, because a permission that
 * was removed by mistake may be restored while a queue redelivers messages or the sweeper retries.
 */

/** Returns an AWS error's name, such as `ThrottlingException`, or `Error` if the name is malformed. */
export function awsErrorName(error: unknown): string {
  const name = error instanceof Error ? error.name : 'Error';
  return /^[A-Za-z]{1,80}$/.test(name) ? name : 'Error';
}

const CREDENTIALS =
  'Check the AWS credentials of this process. On your own machine, run aws sso login or set AWS_PROFILE';
const ACCESS = 'Check that the role has the required permission, and check the key policy and the VPC endpoint policy';
const KEY = 'Check that the KMS key is enabled and that its policy lets this role use it';
/** `%` stands for the variable that names the resource. */
const MISSING = 'Check that % names a resource that exists in this region, and check the region (AWS_REGION)';
const NOT_AWS =
  'The response was not from AWS. Check that no proxy, firewall or VPC endpoint policy is answering in place of AWS';
const PROXY = 'A proxy is intercepting TLS. Set NODE_EXTRA_CA_CERTS to the file with its CA certificate';
const REGION = 'Check the region (AWS_REGION), then DNS and the VPC endpoint';

/** Advice by error name or, if there was no response, by error code. */
const ADVICE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    AccessDenied: ACCESS,
    CredentialsProvider: CREDENTIALS,
    DecryptionFailure: KEY,
    Disabled: KEY,
    EncryptionFailure: KEY,
    ENOTFOUND: REGION,
    ExpiredToken: CREDENTIALS,
    InvalidClientTokenId: CREDENTIALS,
    InvalidSignature: "Check the AWS credentials and this machine's clock",
    KMSInvalidState: KEY,
    MissingAuthenticationToken: CREDENTIALS,
    NotFound: MISSING,
    QueueDoesNotExist: MISSING,
    ResourceNotFound: MISSING,
    SELF_SIGNED_CERT_IN_CHAIN: PROXY,
    TokenProvider: CREDENTIALS,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: PROXY,
    UnrecognizedClient: CREDENTIALS,
    Validation: 'Check the value of %',
  }),
);
const OTHERWISE = 'Try again. If the call keeps failing, check the role and the configuration';

/**
 * Explains an error. `ms` is how long the call waited, `setting` is the variable that names the resource, and `tried` lists the
 * outcome for each of the endpoint's addresses.
 */
export function explainAwsError(
  error: unknown,
  { ms, setting, tried = '' }: { ms?: number; setting?: string | undefined; tried?: string } = {},
): string {
  const name = awsErrorName(error);
  const { code, hostname, $metadata: { httpStatusCode: status } = {} }: SdkError = Object(error);
  if (name === 'AbortError' || name === 'TimeoutError') {
    return `no response from AWS${ms === undefined ? '' : ` within ${ms} ms`}${tried}. ${OTHERWISE}`;
  }
  if (typeof status === 'number') {
    // The SDK uses these names for an error response that it cannot parse.
    const isForeign = (name === 'SyntaxError' || name === 'Unknown') && status < 500;
    const what = name === 'SyntaxError' ? 'a response that is not JSON' : name;
    return `AWS returned ${what} (${status}). ${isForeign ? NOT_AWS : adviceFor(name, setting)}`;
  }
  const kind = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : name;
  const host = /^[a-z0-9-]+\.[a-z0-9-]{1,30}\.amazonaws\.com$/.test(String(hostname)) ? ` at ${hostname}` : '';
  return `AWS was unreachable${host} (${kind})${tried}. ${adviceFor(kind, setting)}`;
}

const adviceFor = (kind: string, setting = 'the configuration'): string =>
  (ADVICE.get(shortName(kind)) ?? OTHERWISE).replace('%', setting);

const shortName = (kind: string): string => kind.replace(/(Exception|Error)$/, '');

/** Returns true if AWS denied access to a resource, or the resource or its key is missing. Other failures may pass by themselves. */
export const isDenied = (error: unknown): boolean =>
  [ACCESS, KEY, MISSING].includes(ADVICE.get(shortName(awsErrorName(error))) ?? '');

/** Returns true if the region is missing or malformed. Trying again cannot help. */
export const isRegionError = (error: unknown): boolean =>
  error instanceof Error && /^Region (is missing|not accepted)/.test(error.message);

type SdkError = {
  readonly code?: unknown;
  readonly hostname?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
};
