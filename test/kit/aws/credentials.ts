/** Credentials that the stand-ins create for one run. Other local processes can connect to the stand-ins, but are not served. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
};

export const newCredentials = (): Credentials => ({
  accessKeyId: `ASIA${random(16).toUpperCase()}`,
  secretAccessKey: random(40),
  sessionToken: random(64),
});

const random = (length: number): string => randomBytes(length / 2).toString('hex');

const CREDENTIAL = /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\//;

/** Whether a request was made with these credentials. Checks the access key id and session token, but not the signature. */
export function wasMadeWith({ accessKeyId, sessionToken }: Credentials, headers: IncomingHttpHeaders): boolean {
  const [, id = ''] = CREDENTIAL.exec(headers.authorization ?? '') ?? [];
  return equal(id, accessKeyId) && equal(String(headers['x-amz-security-token'] ?? ''), sessionToken);
}

function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
