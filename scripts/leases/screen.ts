/** Formats the output for people. All functions are pure. */
import type { FlashBlade } from '../../lib/core/model.ts';
import { addressOf } from '../../lib/flashblade/trust.ts';
import { columns } from '../columns.ts';
import type { Closed } from './close.ts';
import type { Line } from './read.ts';

const HEADINGS = ['LEASE ID', 'ARRAY', 'USER', 'STATE', 'OWNER', 'ENDS IN', 'TRIES'];

/** `now` is in seconds since the epoch. */
export function table(lines: readonly Line[], now: number): string {
  if (lines.length === 0) return 'There are no live leases.';
  return columns([HEADINGS, ...lines.map((line) => cells(line, now))]);
}

const cells = (
  { leaseId, array, username = '-', state, owner = '-', endsAt, tries = 0 }: Line,
  now: number,
): string[] => [leaseId, array, username, state, owner, span(endsAt - now), tries === 0 ? '-' : String(tries)];

/** Formats a time span, such as `2 h 5 min`, or `-90 s` for a time in the past. Omits seconds for spans of two minutes or more. */
export function span(seconds: number): string {
  const whole = Math.abs(Math.trunc(seconds));
  const sign = seconds <= -1 ? '-' : '';
  if (whole < 120) return `${sign}${whole} s`;
  if (whole < 7200) return `${sign}${Math.floor(whole / 60)} min`;
  return `${sign}${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Formats an item with one line per field. Times are also shown as dates. */
export function itemText(item: object): string {
  const fields = Object.entries(item).filter(([, value]) => value !== undefined);
  return fields.map(([name, value]) => `${name.padEnd(14)}${fieldText(name, value)}`).join('\n');
}

function fieldText(name: string, value: unknown): string {
  if (typeof value === 'number' && /(At|Until)$/.test(name)) return `${value}  ${new Date(value * 1000).toISOString()}`;
  return isArray(value) ? `${addressOf(value)}, trusted by ${value.trust.kind}` : String(value);
}

const isArray = (value: unknown): value is FlashBlade =>
  typeof value === 'object' && value !== null && 'trust' in value;

export function closedText(closed: readonly Closed[]): string {
  if (closed.length === 0) return 'There are no live leases.';
  const lines = closed.map(
    (one) => `${one.leaseId}  ${'code' in one ? `FAILED ${one.code}: ${one.message}` : one.outcome}`,
  );
  const failures = closed.filter((one) => 'code' in one).length;
  return [
    ...lines,
    ...(failures > 0 ? [`${failures} of ${closed.length} leases could not be closed. The sweeper will retry.`] : []),
  ].join('\n');
}
