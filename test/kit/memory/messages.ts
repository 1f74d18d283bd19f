/** Messages as EventBridge sends them to the queue. Equal arguments simulate a second delivery of the same event. */
import type { Message } from '../../../lib/leases/dispatch.ts';
import { DETAIL_TYPES, EXECUTION_DETAIL_TYPE, EXECUTION_SOURCE } from '../../../lib/leases/events.ts';

/**
 * `envelope`: other fields of the event. By default, the event has no `time`, so that it is as old as its message, whatever the clock of a
 * test says.
 */
export function messageOf(
  type: string,
  detail: unknown,
  id = 'event-1',
  source = 'com.example.jobs',
  envelope: object = {},
): Message {
  const event = {
    version: '0',
    id,
    'detail-type': type,
    source,
    account: '123456789012',
    region: 'eu-central-1',
    resources: [],
    detail,
    ...envelope,
  };
  return { messageId: `message-of-${id}`, body: JSON.stringify(event) };
}

export const requested = (detail: unknown, eventId?: string) => messageOf(DETAIL_TYPES.requested, detail, eventId);
export const released = (detail: unknown, eventId?: string) => messageOf(DETAIL_TYPES.released, detail, eventId);

/** A Step Functions event. If `status` is RUNNING, the execution has not ended. */
export function executionEnded(executionArn: string, status = 'SUCCEEDED', eventId?: string): Message {
  const [stateMachine = '', name = ''] = executionArn.split(/:(?=[^:]*$)/);
  const stateMachineArn = stateMachine.replace(':execution:', ':stateMachine:');
  const detail = { executionArn, stateMachineArn, name, status, startDate: 1_795_500_000_000, stopDate: null };
  return messageOf(EXECUTION_DETAIL_TYPE, detail, eventId, EXECUTION_SOURCE);
}
