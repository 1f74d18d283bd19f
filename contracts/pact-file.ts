/** A pact file as far as this project looks into it; everything else in it is kept as it is. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod/mini';

export const CONSUMER = 'flashblade-sessions';
export const PROVIDER = 'flashblade';
/** Name of the file in which Pact writes what is between these two. */
export const nameOf = (consumer: string, provider: string): string => `${consumer}-${provider}.json`;
export const PACT_NAME = nameOf(CONSUMER, PROVIDER);
/** Where a pact is committed. */
export const committedFile = (name: string): string => resolve(import.meta.dirname, 'pacts', name);
/** The committed pact with an array. */
export const PACT_FILE = committedFile(PACT_NAME);

const providerState = z.looseObject({
  name: z.string(),
  params: z.optional(z.record(z.string(), z.unknown())),
});
const anyInteraction = z.looseObject({
  description: z.string(),
  type: z.optional(z.string()),
  pending: z.optional(z.boolean()),
  /** Since version 3 of the specification. */
  providerStates: z.optional(z.array(providerState)),
  /** Before. */
  providerState: z.optional(z.nullable(z.string())),
});
const interaction = z.extend(anyInteraction, {
  request: z.optional(z.looseObject({ method: z.string(), path: z.string() })),
  response: z.optional(z.looseObject({ status: z.number(), body: z.optional(z.unknown()) })),
});
const anyPact = z.looseObject({
  consumer: z.looseObject({ name: z.string() }),
  provider: z.looseObject({ name: z.string() }),
  interactions: z.array(anyInteraction),
  metadata: z.optional(z.record(z.string(), z.unknown())),
});
const pact = z.extend(anyPact, { interactions: z.array(interaction) });

const contents = z.looseObject({ contents: z.optional(z.looseObject({ content: z.unknown() })) });
const message = z.extend(anyInteraction, {
  /** Of an event. */
  contents: z.optional(z.looseObject({ content: z.unknown() })),
  /** Of an invocation and its one result. */
  request: z.optional(contents),
  response: z.optional(z.array(contents)),
});
const messagePact = z.extend(anyPact, { interactions: z.array(message) });

/** Of requests and responses, or of messages. */
export type AnyPact = z.output<typeof anyPact>;
export type AnyInteraction = z.output<typeof anyInteraction>;
export type Pact = z.output<typeof pact>;
export type Interaction = z.output<typeof interaction>;
export type MessagePact = z.output<typeof messagePact>;
export type MessageInteraction = z.output<typeof message>;

/** Each reads a pact file. They throw an Error that says which rule the file breaks. */
export const readPact = (file: string): Pact => readAs(pact, file);
export const readMessagePact = (file: string): MessagePact => readAs(messagePact, file);
export const readAnyPact = (file: string): AnyPact => readAs(anyPact, file);

function readAs<Schema extends z.ZodMiniType>(schema: Schema, file: string): z.output<Schema> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error(`${file} cannot be read: give the path of a pact file`);
  }
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const where = result.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw new Error(`${file} is not a pact file with consumer, provider and interactions (wrong: ${where})`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names of the states that an interaction wants, in any version of the specification. */
export function statesOf({ providerStates, providerState }: AnyInteraction): readonly string[] {
  if (providerStates !== undefined) return providerStates.map(({ name }) => name);
  return providerState ? [providerState] : [];
}

/** What tells one interaction from another. */
export const keyOf = (description: string, states: readonly string[]): string =>
  JSON.stringify([description, ...states]);

/** For people: `a login with a valid API token (an API token is valid)`. */
export function titleOf(interaction: AnyInteraction): string {
  const states = statesOf(interaction);
  return states.length === 0 ? interaction.description : `${interaction.description} (${states.join(', ')})`;
}

/** The text that is committed: without the versions of the tools that wrote it, which would make every update a change. */
export function normalText({ metadata, ...rest }: AnyPact): string {
  const { pactSpecification } = metadata ?? {};
  return `${JSON.stringify({ ...rest, metadata: { pactSpecification } }, undefined, 2)}\n`;
}
