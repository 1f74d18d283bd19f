/** What can go wrong on purpose. */
import { AwsError } from './aws-error.ts';
import type { Service, ServiceCall } from './calls.ts';

/**
 * - `throttle`, `deny`, `error`: the service refuses and does nothing
 * - `hang`: it does nothing and never answers; `reset`: it does nothing and resets the connection
 * - `garbage`: it does nothing and answers 200 with something that is not JSON
 * - `slow`: it acts and answers after `ms` milliseconds; `lost answer`: it acts and resets the connection
 */
type FaultKind =
  | { readonly kind: 'throttle' | 'deny' | 'hang' | 'reset' | 'garbage' | 'lost answer' }
  | { readonly kind: 'error'; readonly name: string; readonly status: number }
  | { readonly kind: 'slow'; readonly ms: number };

/** Hits the calls of a service, or those with the action and the resource given. */
export type Fault = FaultKind & {
  readonly service: Service;
  readonly action?: string;
  /** As the client names it: a secret's name or ARN, a key's id or ARN, a table's name, a queue's URL, a bus's name or ARN. */
  readonly resource?: string;
  /** How many calls it hits; default: every one until `clear()`. */
  readonly times?: number;
};

export type FaultList = ReturnType<typeof faultList>;

/** Faults to come; the one added first wins. */
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

/** The refusal that the fault stands for, if it is one. */
export function refusalOf(fault: Fault, call: ServiceCall): AwsError | undefined {
  if (fault.kind === 'throttle') return new AwsError('ThrottlingException', 'Rate exceeded');
  if (fault.kind === 'deny') return accessDenied(`${call.service}:${call.action}`);
  if (fault.kind === 'error') return new AwsError(fault.name, 'A fault was injected here.', fault.status);
  return undefined;
}

/** `permission` is an IAM action, such as `kms:Decrypt`. */
export const accessDenied = (permission: string): AwsError =>
  new AwsError('AccessDeniedException', `User is not authorized to perform: ${permission}`);
