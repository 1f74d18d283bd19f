/** Reads pact files. The schemas cover only the fields that this project uses, and keep all others. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as v from 'valibot';

export const CONSUMER = 'flashblade-sessions';
export const PROVIDER = 'flashblade';
/** The name of the file to which Pact writes the pact of these two participants. */
export const nameOf = (consumer: string, provider: string): string => `${consumer}-${provider}.json`;
export const PACT_NAME = nameOf(CONSUMER, PROVIDER);
/** The path of a committed pact. */
export const committedFile = (name: string): string => resolve(import.meta.dirname, 'pacts', name);
/** The committed pact with an array. */
export const PACT_FILE = committedFile(PACT_NAME);

const providerState = v.looseObject({
  name: v.string(),
  params: v.optional(v.record(v.string(), v.unknown())),
});
const anyInteraction = v.looseObject({
  description: v.string(),
  type: v.optional(v.string()),
  pending: v.optional(v.boolean()),
  /** Since version 3 of the specification. */
  providerStates: v.optional(v.array(providerState)),
  /** Before version 3. */
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
  /** The content of an event. */
  contents: v.optional(v.looseObject({ content: v.unknown() })),
  /** The content of an invocation and its single result. */
  request: v.optional(contents),
  response: v.optional(v.array(contents)),
});
const messagePact = v.looseObject({ ...anyPact.entries, interactions: v.array(message) });

/** A pact of requests and responses, or of messages. */
export type AnyPact = v.InferOutput<typeof anyPact>;
export type AnyInteraction = v.InferOutput<typeof anyInteraction>;
export type Pact = v.InferOutput<typeof pact>;
export type Interaction = v.InferOutput<typeof interaction>;
export type MessagePact = v.InferOutput<typeof messagePact>;
export type MessageInteraction = v.InferOutput<typeof message>;

/** Read a pact file. Throw an Error that names the broken rule. */
export const readPact = (file: string): Pact => readAs(pact, file);
export const readMessagePact = (file: string): MessagePact => readAs(messagePact, file);
export const readAnyPact = (file: string): AnyPact => readAs(anyPact, file);

function readAs<Schema extends v.GenericSchema>(schema: Schema, file: string): v.InferOutput<Schema> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error(`${file} cannot be read. Pass the path of a pact file.`);
  }
  const result = v.safeParse(schema, parseJson(text));
  if (result.success) return result.output;
  const where = result.issues.map((issue) => v.getDotPath(issue) ?? 'the whole file').join(', ');
  throw new Error(`${file} is not a pact file with consumer, provider and interactions (invalid: ${where})`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The names of the states that an interaction requires, in any version of the specification. */
export function statesOf({ providerStates, providerState }: AnyInteraction): readonly string[] {
  if (providerStates !== undefined) return providerStates.map(({ name }) => name);
  return providerState ? [providerState] : [];
}

/** The identity of an interaction. */
export const keyOf = (description: string, states: readonly string[]): string =>
  JSON.stringify([description, ...states]);

/** For display: `a login with a valid API token (an API token is valid)`. */
export function titleOf(interaction: AnyInteraction): string {
  const states = statesOf(interaction);
  return states.length === 0 ? interaction.description : `${interaction.description} (${states.join(', ')})`;
}

/** The committed text. It omits the versions of the tools that wrote it, so that an update does not change it. */
export function normalText({ metadata, ...rest }: AnyPact): string {
  const { pactSpecification } = metadata ?? {};
  return `${JSON.stringify({ ...rest, metadata: { pactSpecification } }, undefined, 2)}\n`;
}
