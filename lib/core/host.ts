/** Defines the rule for an array's host, which applies to secrets, the library and the commands. Messages never contain the value. */
import { isIP } from 'node:net';
import { isHostLikeApiToken } from './redact.ts';
import { unreplaced } from './unreplaced.ts';

export type Address = { readonly host: string; readonly port: number };

const DEFAULT_PORT = 443;
/** A shorter API token could appear in a host by chance. */
const MIN_FOUND_LENGTH = 8;

const NAMES = 'must be a DNS name, an IPv4 address or an IPv6 address';
export const HOST_RULE = `${NAMES} in brackets, with or without :port`;
const BARE_RULE = `${NAMES}, without brackets and without a port`;
const SWAPPED = 'looks like an API token. Were host and apiToken swapped?';
const HOLDS_TOKEN = 'contains the apiToken. Correct the host';

/**
 * Parses a host with or without a port, and strips the brackets from an IPv6 address. Returns undefined if the host is invalid or looks
 * like an API token.
 */
export function parseHost(value: string): Address | undefined {
  if (isHostLikeApiToken(value) || placeholder(value) !== undefined) return undefined;
  const parts = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([\w.-]{1,253}))(?::(\d{1,5}))?$/.exec(value);
  if (!parts) return undefined;
  const port = parts[3] === undefined ? DEFAULT_PORT : Number(parts[3]);
  if (!isPort(port)) return undefined;
  if (parts[1] !== undefined) return isIP(parts[1]) === 6 ? { host: parts[1], port } : undefined;
  const name = (parts[2] as string).toLowerCase();
  return isIP(name) === 4 || isDnsName(name) ? { host: name, port } : undefined;
}

/**
 * If the host is a placeholder that a tool should have replaced, returns what it looks like and how to correct it. Otherwise, returns
 * undefined.
 */
const placeholder = (value: string): string | undefined => unreplaced(value.replace(/:\d*$/, ''));

export const isPort = (port: unknown): port is number =>
  Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535;

/** Returns why a host is invalid, worded to follow `host `, or undefined if the host is valid. A host must not contain `apiToken`. */
export function hostFault(value: string, apiToken = ''): string | undefined {
  if (isHostLikeApiToken(value)) return SWAPPED;
  if (apiToken !== '' && holdsToken(value, apiToken)) return HOLDS_TOKEN;
  return parseHost(value) === undefined ? (placeholder(value) ?? withMistake(HOST_RULE, mistakeIn(value))) : undefined;
}

/** Like `hostFault`, but for a host whose port is in a separate field. Such a host has no brackets. */
export function bareHostFault(value: string): string | undefined {
  if (isHostLikeApiToken(value)) return SWAPPED;
  // Node accepts a zone in an IPv6 address.
  if (isIP(value) === 6 && !value.includes('%')) return undefined;
  if (parseHost(value) === undefined) return placeholder(value) ?? withMistake(BARE_RULE, mistakeIn(value));
  if (!/[:[]/.test(value)) return undefined;
  return withMistake(BARE_RULE, value.startsWith('[') ? 'Remove the brackets' : 'Move the port to the field "port"');
}

/**
 * Returns true if a field of a secret contains the API token. Other fields must not contain the token. A host, for example, appears
 * in DNS queries, messages and KMS encryption contexts.
 */
export function holdsToken(field: string, token: string): boolean {
  const [fieldText, tokenText] = [field.toLowerCase(), token.toLowerCase()];
  return fieldText === tokenText || (token.length >= MIN_FOUND_LENGTH && fieldText.includes(tokenText));
}

// The last label must not start with a digit, because some resolvers read "10.1" and "0x7f.1" as IP addresses.
function isDnsName(name: string): boolean {
  const labels = name.split('.');
  return (
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
    /^[a-z_]/.test(labels.at(-1) as string)
  );
}

const PORT_RULE = 'The port must be a number from 1 to 65535';

/** Common mistakes, most specific first, each with its fix. */
const MISTAKES: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'It is empty'],
  [/^[a-z][a-z0-9+.-]*:[/\\]/i, 'It looks like a URL. Keep only the host, without https:// and without a path'],
  [/\s/, 'Remove the spaces and line breaks'],
  [/["'`\u2018-\u201f]/, 'Remove the quotation marks'],
  [/@/, 'Remove the user name and the @'],
  [/[/\\?#]/, 'Remove the path'],
  [/\*/, 'A wildcard is not a host. Use the host of one array'],
  [/%/, 'Remove the % and what follows. Zones such as %eth0 are not supported'],
  [/[^ -~]/, 'Use ASCII characters only. Write internationalized domain names in Punycode (xn--…)'],
  [/[,;]/, 'Use a single host'],
  [/^[^[]*(::|:.*:.*:)/, 'Put an IPv6 address in brackets'],
  [/^\[[\da-f.:]+\]:/i, PORT_RULE],
  [/[[\]]/, 'Use brackets only around an IPv6 address'],
  [/\.(:\d+)?$/, 'Remove the dot at the end'],
  [/(^|\.)(\d+|0x[\da-f]*)(:\d+)?$/i, 'An IPv4 address has four numbers from 0 to 255, without leading zeros'],
  [/^\.|\.\./, 'Remove the extra dot'],
  [/(^|\.)-|-(\.|:|$)/, 'No part of a name may start or end with a hyphen'],
  [/[^.:]{64}/, 'Each part of a name has at most 63 characters'],
  [/:/, PORT_RULE],
];

const mistakeIn = (value: string): string | undefined => MISTAKES.find(([pattern]) => pattern.test(value))?.[1];

const withMistake = (rule: string, mistake: string | undefined): string =>
  mistake === undefined ? rule : `${rule}. ${mistake}`;
