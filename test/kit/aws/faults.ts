/** Faults that tests inject. */
import { AwsError } from './aws-error.ts';
import type { Service, ServiceCall } from './calls.ts';
import type { Answer } from './server.ts';

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
  /** The resource, as the client names it: a secret name or ARN, key id or ARN, table name, queue URL, or bus name or ARN. */
  readonly resource?: string;
  /** How many calls the fault affects. Default: every call until `clear()`. */
  readonly times?: number;
};

export type FaultList = ReturnType<typeof faultList>;

/** The planned faults. If several match a call, the oldest one applies. */
export function faultList() {
  let planned: { readonly fault: Fault; left: number }[] = [];

  function take(call: ServiceCall): Fault | undefined {
    const hit = planned.find(({ fault, left }) => left > 0 && hits(fault, call));
    if (hit) hit.left -= 1;
    return hit?.fault;
  }

  return {
    add: (fault: Fault): void => {
      planned.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
    },
    clear: (): void => {
      planned = [];
    },
    take,
  };
}

function hits(fault: Fault, call: ServiceCall): boolean {
  return (
    fault.service === call.service &&
    (fault.action ?? call.action) === call.action &&
    (fault.resource ?? call.resource) === call.resource
  );
}

/** The error that a fault responds with, or undefined if the fault has no error response. */
export function refusalOf(fault: Fault, call: ServiceCall): AwsError | undefined {
  if (fault.kind === 'throttle') return new AwsError('ThrottlingException', 'Rate exceeded');
  if (fault.kind === 'deny') return accessDenied(`${call.service}:${call.action}`);
  if (fault.kind === 'error') return new AwsError(fault.name, 'A fault was injected here.', fault.status);
  return undefined;
}

/** `permission` is an IAM action, such as `kms:Decrypt`. */
export const accessDenied = (permission: string): AwsError =>
  new AwsError('AccessDeniedException', `User is not authorized to perform: ${permission}`);
