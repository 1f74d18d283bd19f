/** A stand-in for Amazon EventBridge. Tests read events directly from its buses, because the stand-in has no rules and delivers nothing. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { operationsRefusing, serviceOf } from './operations.ts';

const MAX_REQUEST_BYTES = 256 * 1024;

const entrySchema = z.strictObject({
  Time: z.number().optional(),
  Source: z.string().optional(),
  Resources: z.array(z.string()).optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().min(1).max(1600).default('default'),
});
type Entry = z.output<typeof entrySchema>;

/** An event that reached a bus. `at` is in seconds since the epoch. */
export type SentEvent = {
  readonly id: string;
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly at: number;
};
type EntryResult = { readonly EventId: string } | { readonly ErrorCode: string; readonly ErrorMessage: string };

export type Events = ReturnType<typeof eventsStandIn>;

/** Supports PutEvents. The `default` bus always exists. `now` is in seconds since the epoch. */
export function eventsStandIn(account: { region: string; accountId: string; now: () => number }) {
  const arnPrefix = `arn:aws:events:${account.region}:${account.accountId}:event-bus/`;
  const buses = new Set(['default']);
  const sent: SentEvent[] = [];
  let refusals = { left: 0, code: '' };

  function take(entry: Entry): EntryResult {
    const refusal = refusals.left > 0 ? refusals.code : faultOf(entry);
    if (refusals.left > 0) refusals.left -= 1;
    if (refusal) return { ErrorCode: refusal, ErrorMessage: 'The entry was refused.' };
    const { Source: source = '', DetailType: detailType = '', Detail = '', Time: at = account.now() } = entry;
    const id = randomUUID();
    const bus = entry.EventBusName.replace(arnPrefix, '');
    // As in AWS, an event for a bus that does not exist is accepted and lost.
    if (buses.has(bus)) sent.push({ id, bus, source, detailType, detail: JSON.parse(Detail) as unknown, at });
    return { EventId: id };
  }

  const putEvents = operationsRefusing('ValidationException')(
    z.strictObject({ Entries: z.array(entrySchema).min(1).max(10) }),
    ({ Entries }) => {
      if (sizeOf(Entries) > MAX_REQUEST_BYTES)
        throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
      const results = Entries.map(take);
      return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
    },
  );

  return {
    definition: serviceOf({ service: 'events', target: 'AWSEvents' }, { PutEvents: putEvents }),
    /** Events that reached a bus, oldest first. */
    sent: sent as readonly SentEvent[],
    /** Creates a bus if it does not exist. Returns the bus ARN. */
    createBus(name: string): string {
      buses.add(name);
      return arnPrefix + name;
    },
    /** Refuses the next `times` entries with `code`. The calls succeed, with the refused entries counted in `FailedEntryCount`. */
    refuseEntries(times: number, code = 'InternalFailure'): void {
      refusals = { left: times, code };
    },
  };
}

/** Returns why EventBridge refuses an entry. The call as a whole still succeeds. */
function faultOf({ Source, DetailType, Detail }: Entry): string | undefined {
  if (!Source || !DetailType || !Detail) return 'InvalidArgument';
  if (Source.startsWith('aws.')) return 'NotAuthorizedForSourceException';
  return isJsonObject(Detail) ? undefined : 'MalformedDetail';
}

function isJsonObject(text: string): boolean {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const sizeOf = (entries: readonly Entry[]): number =>
  entries
    .flatMap(({ Source = '', DetailType = '', Detail = '' }) => [Source, DetailType, Detail])
    .reduce((size, text) => size + Buffer.byteLength(text), 0);
