/** Faults that tests inject. */
import type { Answer, Service, ServiceCall } from './server.ts';

/**
 * What the service does:
 * - `throttle`, `deny`, `error`: does nothing and responds with an error
 * - `hang`: does nothing and never responds; `reset`: does nothing and resets the connection
 * - `garbage`: does nothing and responds with 200 and text that is not JSON; `answer`: does nothing and responds with `answer`
 * - `slow`: acts and responds after `ms` milliseconds; `lost answer`: acts and resets the connection
 */
type FaultKind =
  | { readonly kind: 'throttle' | 'deny' | 'hang' | 'reset' | 'garbage' | 'lost answer' }
  | { readonly kind: 'error'; readonly name: string; readonly status: number }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'slow'; readonly ms: number };

/** Affects all calls to a service, or only those with the given action and resource. */
export type Fault = FaultKind & {
  readonly service: Service;
  readonly action?: string;
  /** The resource, as the client names it: a secret's name, a key's ARN, a table's name or a queue's URL. */
  readonly resource?: string;
  /** How many calls the fault affects. Default: every call until `clear()`. */
  readonly times?: number;
};

export type FaultList = ReturnType<typeof faultList>;

/** The planned faults. If several match a call, the oldest one applies. */
export function faultList() {
  let planned: { readonly fault: Fault; left: number }[] = [];
  return {
    add: (fault: Fault): void => {
      planned.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
    },
    clear: (): void => {
      planned = [];
    },
    take: ({ service, action, resource }: ServiceCall): Fault | undefined => {
      const hit = planned.find(
        ({ fault, left }) =>
          left > 0 &&
          fault.service === service &&
          (fault.action ?? action) === action &&
          (fault.resource ?? resource) === resource,
      );
      if (hit) hit.left -= 1;
      return hit?.fault;
    },
  };
}
