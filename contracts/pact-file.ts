/** Reads pact files. The schemas check only the fields that this project uses and preserve all others. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as v from 'valibot';

export const CONSUMER = 'flashblade-sessions';
export const PROVIDER = 'flashblade';
/** Returns the name of the file to which Pact writes the pact between these two participants. */
export const nameOf = (consumer: string, provider: string): string => `${consumer}-${provider}.json`;
export const PACT_NAME = nameOf(CONSUMER, PROVIDER);

/** The other participant in messages, which this project also owns: the bus, rules, queue, schedules and workflows. */
export const STACK = 'stack';
/** The pact for events that the stack delivers to session-events. */
export const REQUESTS_PACT = nameOf(CONSUMER, STACK);
/** The pact for events and results that the functions produce. */
export const OUTCOMES_PACT = nameOf(STACK, CONSUMER);

/** Returns the path to a committed pact. */
export const committedFile = (name: string): string => resolve(import.meta.dirname, 'pacts', name);
/** The path to the committed pact with an array. */
export const PACT_FILE = committedFile(PACT_NAME);

const providerState = v.looseObject({
  name: v.string(),
  params: v.optional(v.record(v.string(), v.unknown())),
});
const anyInteraction = v.looseObject({
  description: v.string(),
  type: v.optional(v.string()),
  pending: v.optional(v.boolean()),
  /** Used in version 3 and later of the Pact specification. */
  providerStates: v.optional(v.array(providerState)),
  /** Used in earlier versions of the specification. */
  providerState: v.optional(v.nullable(v.string())),
});
const interaction = v.looseObject({
  ...anyInteraction.entries,
  request: v.optional(v.looseObject({ method: v.string(), path: v.string() })),
  response: v.optional(v.looseObject({ status: v.number(), body: v.optional(v.unknown()) })),
});
const anyPact = v.looseObject({
  consumer: v.looseObject({ name: v.string() }),
  provider: v.looseObject({ name: v.string() }),
  interactions: v.array(anyInteraction),
  metadata: v.optional(v.record(v.string(), v.unknown())),
});
const pact = v.looseObject({ ...anyPact.entries, interactions: v.array(interaction) });

const contents = v.looseObject({ contents: v.optional(v.looseObject({ content: v.unknown() })) });
const message = v.looseObject({
  ...anyInteraction.entries,
  /** An event's content. */
  contents: v.optional(v.looseObject({ content: v.unknown() })),
  /** An invocation's input and its single result. */
  request: v.optional(contents),
  response: v.optional(v.array(contents)),
});
const messagePact = v.looseObject({ ...anyPact.entries, interactions: v.array(message) });

/** An HTTP pact or a message pact. */
export type AnyPact = v.InferOutput<typeof anyPact>;
export type AnyInteraction = v.InferOutput<typeof anyInteraction>;
export type Pact = v.InferOutput<typeof pact>;
export type Interaction = v.InferOutput<typeof interaction>;
export type MessagePact = v.InferOutput<typeof messagePact>;
export type MessageInteraction = v.InferOutput<typeof message>;

/** Reads a pact file. Throws an Error that describes the problem. */
export const readPact = (file: string): Pact => readAs(pact, file);
export const readMessagePact = (file: string): MessagePact => readAs(messagePact, file);
export const readAnyPact = (file: string): AnyPact => readAs(anyPact, file);

function readAs<Schema extends v.GenericSchema>(schema: Schema, file: string): v.InferOutput<Schema> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error(`${file} cannot be read. Pass the path to a pact file.`);
  }
  const result = v.safeParse(schema, withInteractions(parseJson(text)));
  if (result.success) return result.output;
  const where = result.issues.map((issue) => v.getDotPath(issue) ?? 'the whole file').join(', ');
  throw new Error(`${file} is not a pact file with a consumer, a provider and interactions (invalid: ${where})`);
}

/** Version 3 of the Pact specification lists messages under `messages`. Returns such a pact as version 4, and any other value unchanged. */
function withInteractions(pact: unknown): unknown {
  const { messages, ...rest } = Object(pact) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(messages) || 'interactions' in rest) return pact;
  const interactions = messages.map((message: Readonly<Record<string, unknown>>) => ({
    ...message,
    type: 'Asynchronous/Messages',
    contents: { content: message['contents'], contentType: 'application/json', encoded: false },
  }));
  return { ...rest, interactions, metadata: { pactSpecification: { version: '4.0' } } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the names of the states that an interaction requires, in any version of the Pact specification. */
export function statesOf({ providerStates, providerState }: AnyInteraction): readonly string[] {
  if (providerStates !== undefined) return providerStates.map(({ name }) => name);
  return providerState ? [providerState] : [];
}

/** Returns a key that identifies an interaction. */
export const keyOf = (description: string, states: readonly string[]): string =>
  JSON.stringify([description, ...states]);

/** Returns an interaction's display title, such as `a login with a valid API token (an API token is valid)`. */
export function titleOf(interaction: AnyInteraction): string {
  const states = statesOf(interaction);
  return states.length === 0 ? interaction.description : `${interaction.description} (${states.join(', ')})`;
}

/** Returns the function named in the description of an invocation. */
export const functionOf = (description: string): string => description.slice(0, description.indexOf(':'));

/** Returns the text to commit. Tool versions are omitted, so updating a tool does not change the text. */
export function normalText({ metadata, ...rest }: AnyPact): string {
  const { pactSpecification } = metadata ?? {};
  return `${JSON.stringify({ ...rest, metadata: { pactSpecification } }, undefined, 2)}\n`;
}
