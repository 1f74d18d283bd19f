/** The committed message pacts, and helpers to select and change their messages. */
import {
  committedFile,
  type MessageInteraction,
  type MessagePact,
  OUTCOMES_PACT,
  REQUESTS_PACT,
  readMessagePact,
} from '../../../contracts/pact-file.ts';

export const requests = readMessagePact(committedFile(REQUESTS_PACT));
export const outcomes = readMessagePact(committedFile(OUTCOMES_PACT));

/** The pact with only this interaction. */
export function only(pact: MessagePact, description: string): MessagePact {
  const interactions = pact.interactions.filter((one) => one.description === description);
  if (interactions.length !== 1) throw new Error(`the pact has no interaction "${description}"`);
  return { ...pact, interactions };
}

/** The pact with one interaction changed. */
export function changed(
  pact: MessagePact,
  description: string,
  change: (interaction: MessageInteraction) => object,
): MessagePact {
  const [one] = only(pact, description).interactions;
  const changedOne = change(structuredClone(one) as MessageInteraction) as MessageInteraction;
  return { ...pact, interactions: pact.interactions.map((each) => (each === one ? changedOne : each)) };
}

type Event = { readonly 'detail-type': string; readonly detail: Readonly<Record<string, unknown>> };

/** The same event with some fields of `detail` replaced. Undefined removes a field. */
export const withDetail = (event: unknown, detail: object): object => {
  const { detail: before, ...envelope } = event as Event;
  return JSON.parse(JSON.stringify({ ...envelope, detail: { ...before, ...detail } }));
};

/** The same event with another detail type. */
export const withType = (event: unknown, type: string): object => ({ ...(event as Event), 'detail-type': type });

/** The example event of a pact. */
export const eventOf = (pact: MessagePact, description: string): unknown =>
  only(pact, description).interactions[0]?.contents?.content;
