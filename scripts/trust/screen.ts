/** Formats the certificate report for people. All functions are pure. */
import { addressOf } from '../../lib/flashblade/trust.ts';
import type { CertificateFacts } from './certificate.ts';
import type { Report } from './report.ts';

/** Describes the presented chain, and says whether it is publicly trusted. */
export function reportText(report: Report): string {
  const { chain, protocol, publicAuthorities } = report;
  const certificates = chain.map((facts, index) => [title(index, chain.length), ...certificateLines(facts)].join('\n'));
  return [
    `${addressOf(report)} presents this chain over ${protocol}:`,
    ...certificates,
    publicText(publicAuthorities),
  ].join('\n\n');
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

/** Formats a fingerprint as most arrays and tools show it. */
const colons = (fingerprint: string): string => fingerprint.toUpperCase().match(/../g)?.join(':') ?? '';

const publicText = ({ accepted, reason }: Report['publicAuthorities']): string =>
  accepted
    ? 'The certificate is publicly trusted for this name.'
    : `The certificate is not publicly trusted for this name: ${reason}.`;

export const COMPARE = `Before you trust the server's own certificate, compare its SHA-256 fingerprint with the one that your array shows.
Do not get that fingerprint over this network, because an attacker between you and the array could show you a false one.
Your array probably shows its certificate in the GUI under Settings → Certificates, and with \`purecert list\` on the command line.
To get the fingerprint of a PEM certificate, run: openssl x509 -noout -sha256 -fingerprint -in array.pem`;

/** Returns advice about the secret's `trust` field. Mentions the alternative of trusting a private certificate authority. */
export function adviceText({ chain: [own], publicAuthorities }: Report): string {
  if (publicAuthorities.accepted) {
    return `If the fingerprints match, omit "trust" from the array's secret, because this certificate is publicly trusted.`;
  }
  const alternative = own?.selfSigned
    ? []
    : [
        'If a private certificate authority issued the certificate, you can trust the authority instead. Renewed certificates from this authority are then trusted, too.',
        'Get the PEM certificate from the authority\'s operator, not from this server. Use "trust": { "ca": "…" }, or run:',
        '',
        '  npm run secret -- <array> --ca ca.pem',
      ];
  return [
    `If the fingerprints match, add this to the array's secret:`,
    '',
    `  "trust": ${trustJson(own?.fingerprint)}`,
    '',
    ...alternative,
  ]
    .join('\n')
    .trimEnd();
}

const trustJson = (fingerprint = ''): string => `{ "fingerprints": ["${fingerprint}"] }`;
