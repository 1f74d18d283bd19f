/** The queue of requests. It redelivers a message until it is handled, and sometimes delivers it twice at the same time. */

import { dispatch } from '../../../lib/leases/dispatch.ts';
import { DETAIL_TYPES, type SessionOpened } from '../../../lib/leases/events.ts';
import { leaseKey } from '../../../lib/leases/items.ts';
import type { Outbox } from '../../../lib/leases/ports.ts';
import { hookedOutbox } from '../../kit/memory/hook.ts';
import { MAX_AGE_SECONDS } from '../../kit/memory/memory-outbox.ts';
import type { World } from './world.ts';

const FUNCTION_MS = 30_000;
/** A message that was not handled is delivered again after this time. */
const VISIBILITY_MS = 45_000;
const DELIVERIES = 5;

/** Puts a message into the queue. Calls `handled` when it has been handled. */
export function deliver(world: World, type: keyof typeof DETAIL_TYPES, detail: object, handled = (): void => {}): void {
  const { clock, random } = world;
  const messageId = world.newId();
  const envelope = { id: messageId, source: 'jobs', 'detail-type': DETAIL_TYPES[type], detail };
  const message = { messageId, body: JSON.stringify(envelope) };
  let left = DELIVERIES;
  let isHandled = false;

  function deliverOnce(): void {
    if (isHandled || left === 0) return;
    left -= 1;
    world.count('delivered');
    world.start(`queue ${messageId}`, FUNCTION_MS, async ({ ports, deadline, hook }) => {
      await dispatch(ports, hookedOutbox(outboxOf(world), hook), message, MAX_AGE_SECONDS, deadline);
      isHandled = true;
      handled();
    });
    clock.after(VISIBILITY_MS, deliverOnce);
    if (random.chance(0.3)) clock.after(random.below(random.pick([50, 20_000])), deliverOnce);
  }
  deliverOnce();
}

const outboxOf = (world: World): Outbox => ({
  emit: async (event) => {
    world.count(`sent ${event.type}`);
    if (event.type === 'opened') checkOwner(world, event.detail);
  },
  deadLetter: async () => {},
});

/** While a lease is open, only its owner may be informed that it is open. */
export function checkOwner(world: World, { leaseId, owner }: Pick<SessionOpened, 'leaseId' | 'owner'>): void {
  const item = world.store.items.get(leaseKey(leaseId));
  if (item?.kind !== 'lease' || item.state === 'CLOSED' || item.owner === owner) return;
  world.faults.push(`lease ${leaseId} was given to ${owner}, and is owned by ${item.owner}`);
}
