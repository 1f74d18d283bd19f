/** What an API token looks like. The only definition: whatever keeps tokens out of names, hosts and output uses it. */
import { readable } from './escapes.ts';

const HEX = '[0-9A-Fa-f]';
const UUID = `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`;
// The end of "export-" or "REPORT-" before a UUID is not the beginning of a token.
const API_TOKEN = `(?:(?<![A-Z])T|(?<![A-Za-z0-9])t)-${UUID}`;
const WITH_API_TOKEN = new RegExp(API_TOKEN);
const WITH_UUID = new RegExp(UUID);
// Here the beginning of a token may be any T: no array is called REPORT-<UUID>.
const HOST_WITH_API_TOKEN = new RegExp(`T-${UUID}|${API_TOKEN}`);
const HEX_LABEL = /^(?:t-?)?[0-9a-f-]{32,}$/i;

/** As in `leaseId must not …`. */
export const NO_API_TOKEN = 'must not contain what looks like an API token';

/** True for a text that is, or contains, `T-` and a UUID, also as JSON and URLs escape it. A bare UUID is a legitimate lease id or owner. */
export const containsApiToken = (text: string): boolean =>
  WITH_API_TOKEN.test(text) || WITH_API_TOKEN.test(readable(text).text);

/** Where in a text there are `T-` and a UUID: begin and end of each. */
export const apiTokensIn = (text: string): (readonly [from: number, to: number])[] =>
  Array.from(text.matchAll(new RegExp(API_TOKEN, 'g')), ({ 0: found, index }) => [index, index + found.length]);

/** True for a text that is a UUID and nothing else, as newer API tokens are. */
export const isBareUuid = (text: string): boolean => new RegExp(`^${UUID}$`).test(text);

/** The text with `mask` in place of each `T-` and UUID. */
export const maskApiTokens = (text: string, mask: string): string => text.replaceAll(new RegExp(API_TOKEN, 'g'), mask);

/** The text with `mask` in place of each UUID, with or without `T-`: for output in which hiding an id is harmless. */
export const maskUuids = (text: string, mask: string): string =>
  text.replaceAll(new RegExp(`(?:[Tt]-)?${UUID}`, 'g'), mask);

/**
 * True for a host, with or without a port, that is probably an API token: `T-` and a UUID anywhere in it, or nothing but one label that
 * has a UUID, or at least 32 hex digits and hyphens. A UUID in a label of a longer DNS name is accepted: clouds name hosts like that.
 */
export function isHostLikeApiToken(host: string): boolean {
  const name = host.replace(/:\d*$/, '').replaceAll(/^\.+|\.+$/g, '');
  if (HOST_WITH_API_TOKEN.test(name) || HEX_LABEL.test(name)) return true;
  return !name.includes('.') && WITH_UUID.test(name);
}
