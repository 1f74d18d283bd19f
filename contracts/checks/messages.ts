/** Checks message pacts. Every message must be verifiable, no message may contain a token, and no event or function may be missing. */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { DETAIL_TYPES } from '../../lib/leases/events.ts';
import { functionOf, type MessageInteraction, type MessagePact, statesOf, titleOf } from '../pact-file.ts';
import { mask } from '../verification/mask.ts';
import { checkAnyPact } from './pact-checks.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const TOKEN_FIELD = /token|secret|passw|credential|authorization|cookie/i;

/** Returns the findings for one pact. */
export const checkMessages = (pact: MessagePact): string[] => [
  ...checkAnyPact(pact),
  ...pact.interactions.flatMap(checkMessage),
];

function checkMessage(interaction: MessageInteraction): string[] {
  const title = `"${titleOf(interaction)}"`;
  const contents = contentsOf(interaction);
  return [
    ...(contents.length > 0 && contents.every((content) => content !== undefined)
      ? []
      : [`${title} is neither an event nor an input with exactly one result. Other messages cannot be verified here.`]),
    ...(statesOf(interaction).length === 0
      ? []
      : [
          `${title} requires a provider state, but this project's messages have none. Describe the state in the message's description.`,
        ]),
    ...fieldsIn(contents)
      .filter((name) => TOKEN_FIELD.test(name))
      .map((name) => `${title} has the field ${name}, but no message may contain a token. Remove the field.`),
    ...(mask(JSON.stringify(contents), []) === JSON.stringify(contents)
      ? []
      : [`${title} has a value that looks like a token. Use a different example.`]),
  ];
}

/** Returns one item for an event, two for an invocation, and none for any other message. */
function contentsOf({ contents, request, response }: MessageInteraction): unknown[] {
  if (contents !== undefined) return request === undefined && response === undefined ? [contents.content] : [];
  return request !== undefined && response?.length === 1
    ? [request.contents?.content, response[0]?.contents?.content]
    : [];
}

function fieldsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return [...names, ...Object.values(value).flatMap(fieldsIn)];
}

/** Returns a finding for every event and function that no message covers. `session-events` is exempt because the events cover it. */
export function checkComplete(pacts: readonly MessagePact[], functions = shippedFunctions()): string[] {
  const interactions = pacts.flatMap((pact) => pact.interactions);
  const types = interactions.map(({ contents }) => Object(contents?.content)['detail-type'] as unknown);
  const invoked = interactions.map(({ description }) => functionOf(description));
  return [
    ...Object.values(DETAIL_TYPES).filter((type) => !types.includes(type)),
    ...functions.filter((name) => name !== 'session-events' && !invoked.includes(name)),
  ].map((name) => `no message covers ${name}. Add one to contracts/messages.`);
}

const shippedFunctions = (): string[] =>
  globSync('functions/*.ts', { cwd: ROOT }).map((file) => file.slice('functions/'.length, -'.ts'.length));
