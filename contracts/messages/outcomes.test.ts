/** Events that report outcomes on the stack's bus. The subscribers are not part of this project. */
import { expect, test } from 'vitest';
import { DETAIL_TYPES, type SessionClosed, type SessionFailed, type SessionOpened } from '../../lib/leases/events.ts';
import { arrayName, code, eventId, id, integer, type OutcomeEvent, outcomeEvent, someText } from './declare.ts';
import { detailFields, requestTypes } from './stack.ts';

const { opened, closed, failed } = DETAIL_TYPES;
/** A matcher for every field in the event type, and for no other field. */
type Pinned<Detail> = { readonly [Name in keyof Detail]: object };

const OPENED: Pinned<SessionOpened> = {
  leaseId: id('nightly-7'),
  array: arrayName(),
  username: someText('pureuser'),
  expiresAt: integer(1_800_000_900),
  owner: id('run-7'),
};
const CLOSED: Pinned<SessionClosed> = { leaseId: id('nightly-7'), array: arrayName() };
const FAILED: Pinned<SessionFailed> = { code: code('ARRAY_UNKNOWN'), reason: someText('there is no such secret') };

test.each<[OutcomeEvent, string, object]>([
  ['a session was opened', opened, OPENED],
  ['a session was closed by lease id', closed, CLOSED],
  ['a session was closed because its owner was released', closed, { ...CLOSED, owner: id('run-7') }],
  [
    'a session could not be opened',
    failed,
    { ...FAILED, eventId: eventId('event-7'), leaseId: id('nightly-7'), array: arrayName('fb9'), owner: id('run-7') },
  ],
  ['a message could not be understood', failed, FAILED],
])('%s: the event is documented, and the rule does not send it back to the queue', (description, type, detail) =>
  outcomeEvent(description, type, detail).executeTest(async ({ contents }) => {
    expect(detailFields(type)).toEqual(expect.arrayContaining(Object.keys(detail)));
    expect(contents.content).toMatchObject({ 'detail-type': type });
    expect(requestTypes()).not.toContain(type);
  }),
);
