/** A stand-in for Amazon EventBridge. Tests read events directly from its buses, because the stand-in has no rules and delivers nothing. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { operationsRefusing, serviceOf } from './operations.ts';
import { AwsError } from './server.ts';

const MAX_REQUEST_BYTES = 256 * 1024;

const entrySchema = z.strictObject({
  Source: z.string().default(''),
  DetailType: z.string().default(''),
  Detail: z.string().default(''),
  EventBusName: z.string().min(1).max(1600).default('default'),
});
type Entry = z.output<typeof entrySchema>;

/** An event that reached a bus. */
export type SentEvent = {
  readonly id: string;
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
};

/** Supports PutEvents. The `default` bus always exists. `arnPrefix`: `arn:aws:events:<region>:<account>:event-bus/`. */
export function eventsStandIn(arnPrefix: string) {
  const buses = new Set(['default']);
  const sent: SentEvent[] = [];
  let refusals = { left: 0, code: '' };

  function take(entry: Entry): { readonly EventId: string } | { readonly ErrorCode: string } {
    const refusal = refusals.left > 0 ? refusals.code : faultOf(entry);
    if (refusals.left > 0) refusals.left -= 1;
    if (refusal) return { ErrorCode: refusal };
    const { Source: source, DetailType: detailType, Detail } = entry;
    const id = randomUUID();
    const bus = entry.EventBusName.replace(arnPrefix, '');
    // As in AWS, an event for a bus that does not exist is accepted and lost.
    if (buses.has(bus)) sent.push({ id, bus, source, detailType, detail: JSON.parse(Detail) as unknown });
    return { EventId: id };
  }

  const putEvents = operationsRefusing('ValidationException')(
    z.strictObject({ Entries: z.array(entrySchema).min(1).max(10) }),
    ({ Entries }) => {
      const texts = Entries.map(({ Source, DetailType, Detail }) => Source + DetailType + Detail);
      if (Buffer.byteLength(texts.join('')) > MAX_REQUEST_BYTES)
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
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
