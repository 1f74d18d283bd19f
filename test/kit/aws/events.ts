/** A stand-in for Amazon EventBridge. Tests read events directly from its buses, because the stand-in has no rules and delivers nothing. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { operationsRefusing, serviceOf } from './operations.ts';

const MAX_DETAIL_BYTES = 256 * 1024;

/** EventBridge refuses a bad entry alone, with its error code. The stand-in refuses the whole call, because the product sends one entry. */
const entrySchema = z.strictObject({
  Source: z.string().regex(/^(?!aws\.)./),
  DetailType: z.string().min(1),
  Detail: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= MAX_DETAIL_BYTES)
    .refine((text) => isJsonObject(text)),
  EventBusName: z.string().min(1).max(1600).default('default'),
});
type Entry = z.output<typeof entrySchema>;

/** An event that reached a bus. */
type SentEvent = {
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

  function take({ EventBusName, Source: source, DetailType: detailType, Detail }: Entry) {
    if (refusals.left-- > 0) return { ErrorCode: refusals.code };
    const id = randomUUID();
    const bus = EventBusName.replace(arnPrefix, '');
    // As in AWS, an event for a bus that does not exist is accepted and lost.
    if (buses.has(bus)) sent.push({ id, bus, source, detailType, detail: JSON.parse(Detail) as unknown });
    return { EventId: id };
  }

  const putEvents = operationsRefusing('ValidationException')(
    z.strictObject({ Entries: z.array(entrySchema).min(1).max(10) }),
    ({ Entries }) => {
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

function isJsonObject(text: string): boolean {
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
