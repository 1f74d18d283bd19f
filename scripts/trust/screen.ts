/** What people read of a certificate. Pure: values in, text out. */
import { addressOf } from '../../lib/flashblade/trust.ts';
import type { CertificateFacts } from './certificate.ts';
import type { Report } from './report.ts';

/** The chain as it was presented, and whether public authorities accept it. */
export function reportText(report: Report): string {
  const { chain, protocol, publicAuthorities } = report;
  const certificates = chain.map((facts, index) => [title(index, chain.length), ...certificateLines(facts)].join('\n'));
  return [`${addressOf(report)} presents, by ${protocol}:`, ...certificates, publicText(publicAuthorities)].join(
    '\n\n',
  );
}

const title = (index: number, count: number): string =>
  `Certificate ${index + 1} of ${count}${index === 0 ? ", the server's own" : ''}`;

function certificateLines({ selfSigned, ...facts }: CertificateFacts): string[] {
  const { subject, issuer, names, validFrom, validTo, daysLeft, fingerprint, key } = facts;
  const rows = [
    ['subject', subject],
    ['issuer', selfSigned ? 'itself (self-signed)' : issuer],
    ['names', names],
    ['valid', `${validFrom} to ${validTo}, ${daysText(daysLeft)}`],
    ['key', key],
    ['SHA-256', fingerprint],
    ['', colons(fingerprint)],
  ];
  return rows.map(([name = '', value]) => `  ${name.padEnd(9)}${value || '-'}`);
}

const daysText = (days: number): string =>
  days < 0 ? `EXPIRED ${-days} days ago` : days === 1 ? '1 day left' : `${days} days left`;

/** As most arrays and tools show it. */
const colons = (fingerprint: string): string => fingerprint.toUpperCase().match(/../g)?.join(':') ?? '';

const publicText = ({ accepted, reason }: Report['publicAuthorities']): string =>
  accepted
    ? 'Public certificate authorities accept it for this name.'
    : `Public certificate authorities do not accept it for this name (${reason}).`;

export const COMPARE = `Believe it only after you have compared the SHA-256 fingerprint of the server's own certificate with the one that your array
shows, seen by another way than this network: an attacker between you and the array can present a certificate, too.
Look where your array shows its certificate: in its GUI probably under Settings → Certificates, on its command line by
\`purecert list\`. If it shows PEM text, this gives the fingerprint: openssl x509 -noout -sha256 -fingerprint -in array.pem`;

/** The `trust` part of the secret, and its alternative. */
export function adviceText({ chain: [own], publicAuthorities }: Report): string {
  if (publicAuthorities.accepted) {
    return `In the array's secret, leave "trust" out: public authorities vouch for it, as long as they go on accepting it.`;
  }
  const alternative = own?.selfSigned
    ? []
    : [
        'If a certificate authority of your own issued it, name that in place of the fingerprint, and its next certificate is',
        `believed, too: "trust": { "ca": "…" }, PEM text that you have from who runs it, not from here; or \`npm run secret -- <array> --ca ca.pem\`.`,
      ];
  return [
    `In the array's secret, if it is the same:`,
    '',
    `  "trust": ${trustJson(own?.fingerprint)}`,
    '',
    ...alternative,
  ]
    .join('\n')
    .trimEnd();
}

const trustJson = (fingerprint = ''): string => `{ "fingerprints": ["${fingerprint}"] }`;
