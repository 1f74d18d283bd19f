/** A pact file as far as this project looks into it; everything else in it is kept as it is. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod/mini';

export const CONSUMER = 'flashblade-sessions';
export const PROVIDER = 'flashblade';
export const PACT_NAME = `${CONSUMER}-${PROVIDER}.json`;
/** The committed pact. */
export const PACT_FILE = resolve(import.meta.dirname, 'pacts', PACT_NAME);

const providerState = z.looseObject({
  name: z.string(),
  params: z.optional(z.record(z.string(), z.unknown())),
});
const interaction = z.looseObject({
  description: z.string(),
  type: z.optional(z.string()),
  pending: z.optional(z.boolean()),
  /** Since version 3 of the specification. */
  providerStates: z.optional(z.array(providerState)),
  /** Before. */
  providerState: z.optional(z.nullable(z.string())),
  request: z.optional(z.looseObject({ method: z.string(), path: z.string() })),
  response: z.optional(z.looseObject({ status: z.number(), body: z.optional(z.unknown()) })),
});
const pact = z.looseObject({
  consumer: z.looseObject({ name: z.string() }),
  provider: z.looseObject({ name: z.string() }),
  interactions: z.array(interaction),
  metadata: z.optional(z.record(z.string(), z.unknown())),
});

export type Pact = z.output<typeof pact>;
export type Interaction = z.output<typeof interaction>;

/** Reads a pact file. Throws an Error that says which rule the file breaks. */
export function readPact(file: string): Pact {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error(`${file} cannot be read: give the path of a pact file`);
  }
  const result = pact.safeParse(parseJson(text));
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
export function statesOf({ providerStates, providerState }: Interaction): readonly string[] {
  if (providerStates !== undefined) return providerStates.map(({ name }) => name);
  return providerState ? [providerState] : [];
}

/** What tells one interaction from another. */
export const keyOf = (description: string, states: readonly string[]): string =>
  JSON.stringify([description, ...states]);

/** For people: `a login with a valid API token (an API token is valid)`. */
export function titleOf(interaction: Interaction): string {
  const states = statesOf(interaction);
  return states.length === 0 ? interaction.description : `${interaction.description} (${states.join(', ')})`;
}

/** The text that is committed: without the versions of the tools that wrote it, which would make every update a change. */
export function normalText({ metadata, ...rest }: Pact): string {
  const { pactSpecification } = metadata ?? {};
  return `${JSON.stringify({ ...rest, metadata: { pactSpecification } }, undefined, 2)}\n`;
}
