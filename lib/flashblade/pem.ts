/** Reads certificates from PEM text, including text that was mangled by copying and pasting. */
import { X509Certificate } from 'node:crypto';
import { normalFingerprint, remember } from './trust.ts';

/** `fault` is worded to follow the field name, such as `trust.ca`. It never quotes the text. */
export type Pem =
  | { readonly certificates: readonly X509Certificate[]; readonly fault?: undefined }
  | { readonly certificates?: undefined; readonly fault: string };

type Hints = readonly (readonly [RegExp, string])[];

/** A hyphen, or a character that word processors replace it with. */
const DASH = '[-\\u2010-\\u2015\\u2212]';
/** Matches the words between the dashes of a BEGIN or END line. Every repetition is bounded, so that no text is slow to search. */
const BOUNDARY = new RegExp(`(?<=${DASH}{4}\\s{0,9})(BEGIN|END)\\s{1,9}([A-Z0-9#\\s]{1,60}?)\\s{0,9}(?=${DASH})`, 'gi');
const DASHES_AND_SPACE = new RegExp(`${DASH}|\\s`, 'g');
/** Matches byte order marks, zero-width characters, and the zero bytes of UTF-16. */
const INVISIBLE = /\p{Cf}|\0/gu;
/** Matches a line break that was escaped one time too many, as in JSON inside JSON. */
const ESCAPED_BREAK = /\\+[nrt]/g;
/** Matches the beginning of a certificate or a key in base64. */
const BASE64 = /(?<![A-Za-z0-9+/])MI(?=[A-Z0-9+/]{0,15}[a-z])[A-Za-z0-9+/]{16}/;
/** Matches if the text ends inside a comment. */
const OPEN_COMMENT = /(^|[\r\n])[ \t]*(#|;|\/\/)[^\r\n]*$/;

const RULE = 'must be one or more certificates as PEM text, each from BEGIN CERTIFICATE to END CERTIFICATE';

const OTHER_TEXTS: Hints = [
  [/^\s*$/, 'The text is empty'],
  [/^0\uFFFD/, 'The text is DER. Convert it with "openssl x509 -inform der"'],
  [/LS0tLS1CRUdJTi/, 'The text is base64-encoded PEM. Decode it first'],
  [BASE64, 'The BEGIN and END lines are missing'],
  [/^[\w.~/\\: -]{1,250}\.(pem|crt|cer|der|p7b)\s*$/i, 'The text is a file name. Use the content of the file'],
];
const OTHER_BLOCKS: Hints = [
  [/PRIVATE KEY/, 'a private key. Remove it, keep only the certificates, and treat the key as exposed'],
  [/REQUEST/, "a certificate request. Use the CA's certificate instead"],
  [/PUBLIC KEY/, 'a public key. Keep only the certificates'],
  [/CRL/, 'a revocation list. Keep only the certificates'],
  [/PKCS|CMS/, 'a PKCS #7 bundle. Convert it with "openssl pkcs7 -print_certs"'],
  [/TRUSTED/, 'a TRUSTED CERTIFICATE, which may have conditions. Convert it with "openssl x509 -in <file>"'],
  [/(?:)/, 'a PEM block that is not a certificate. Keep only the certificates'],
];
const OTHER_CHARACTERS: Hints = [
  [/[<>&]/, 'contains HTML or a quoted email. Copy the plain text'],
  [/[#;]/, 'is commented out, or contains a comment. Remove the comment or the certificate'],
  [/\\/, 'contains backslashes. Was the JSON encoded twice?'],
  [/%[0-9A-F]{2}/i, 'is URL-encoded. Decode it first'],
  [/\.\.|…/, 'is abbreviated with dots. Copy the whole text'],
  [/:/, 'contains a header. Keep only the base64 lines between BEGIN and END'],
  [/(?:)/, 'contains characters that are not base64. Copy it again'],
];

const read = new Map<string, Pem>();

/**
 * Returns every certificate in the text, or what is wrong with the text. Ignores comments and other text outside the certificates. Ignores
 * white space everywhere, because lines may have been indented or joined.
 */
export function readPem(pem: string): Pem {
  const found = read.get(pem) ?? parse(pem);
  remember(read, pem, found);
  return found;
}

function parse(pem: string): Pem {
  const text = pem.replace(INVISIBLE, '').replace(ESCAPED_BREAK, '\n');
  const boundaries = [...text.matchAll(BOUNDARY)].map(({ 0: words, 1: word = '', 2: label = '', index }) => ({
    isBegin: word.toUpperCase() === 'BEGIN',
    label: label.toUpperCase().replace(/\s+/g, ' '),
    start: index,
    end: index + words.length,
  }));
  // A private key is the worst fault, so report it even if there are others.
  const other =
    boundaries.find(({ label }) => label.includes('PRIVATE KEY')) ??
    boundaries.find(({ label }) => label !== 'CERTIFICATE' && label !== 'X509 CERTIFICATE');
  if (other !== undefined) return { fault: `contains ${hint(OTHER_BLOCKS, other.label)}` };

  const certificates: X509Certificate[] = [];
  const faulty = (what: string): Pem => ({ fault: `cannot be used: certificate ${certificates.length + 1} ${what}` });
  let outside = 0;
  while (boundaries.length > 0) {
    const [begin, end] = boundaries.splice(0, 2);
    const before = text.slice(outside, begin?.start);
    if (!begin?.isBegin || BASE64.test(before)) return faulty('has no BEGIN line');
    if (end === undefined || end.isBegin) return faulty('has no END line. Was the text cut off?');
    if (OPEN_COMMENT.test(before)) return faulty(hint(OTHER_CHARACTERS, '#'));
    const certificate = certificateIn(text.slice(begin.end, end.start));
    if (typeof certificate === 'string') return faulty(certificate);
    certificates.push(certificate);
    outside = end.end;
  }
  if (certificates.length === 0) return { fault: `${RULE}${otherText(text)}` };
  if (BASE64.test(text.slice(outside))) return faulty('has no BEGIN line');
  const fault = authorityFault(certificates);
  return fault === undefined ? { certificates } : { fault };
}

/** Returns the certificate, or what is wrong with it. */
function certificateIn(body: string): X509Certificate | string {
  const base64 = body.replace(DASHES_AND_SPACE, '');
  if (base64 === '') return 'is empty';
  if (/[^A-Za-z0-9+/=]/.test(base64)) return hint(OTHER_CHARACTERS, base64);
  const damaged = 'is damaged or incomplete. Copy it again';
  if (base64.length % 4 !== 0 || !/^[^=]+={0,2}$/.test(base64)) return damaged;
  const der = Buffer.from(base64, 'base64');
  try {
    const certificate = new X509Certificate(der);
    // OpenSSL ignores what follows the first certificate in a block.
    if (certificate.raw.length < der.length)
      return 'is followed by other data in the same block. Use one block for each certificate';
    return certificate;
  } catch {
    return damaged;
  }
}

/** Returns what is missing if no certificate is self-issued, because verification always ends at such a certificate. */
function authorityFault(certificates: readonly X509Certificate[]): string | undefined {
  if (certificates.some(({ subject, issuer }) => subject === issuer)) return undefined;
  return certificates.some(({ ca }) => ca)
    ? 'contains an intermediate CA, but no root. Add the root certificate, whose subject and issuer are the same'
    : "contains a server's certificate, but no CA. Use the CA's root certificate, or trust.fingerprints instead";
}

const hint = (hints: Hints, text: string): string => hints.find(([pattern]) => pattern.test(text))?.[1] ?? '';

function otherText(text: string): string {
  const isFingerprint = normalFingerprint(text.trim()) !== undefined;
  const what = isFingerprint
    ? 'The text is a fingerprint. Put it in trust.fingerprints instead'
    : hint(OTHER_TEXTS, text);
  return what === '' ? '' : `. ${what}`;
}
