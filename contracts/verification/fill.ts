/** Inserts a target's parameters into a pact. */
import { type Interaction, type Pact, statesOf } from '../pact-file.ts';
import type { Target } from '../targets/target.ts';

/**
 * Inserts the target's parameters into the states, and into the expected bodies that repeat those values. The verifier takes
 * request values from the states, but compares response bodies with the unchanged text in the pact.
 */
export const fillIn = (pact: Pact, { parameters }: Pick<Target, 'parameters'>): Pact => ({
  ...pact,
  interactions: pact.interactions.map((interaction) => fillInteraction(interaction, parameters)),
});

function fillInteraction(interaction: Interaction, parameters: Target['parameters']): Interaction {
  const wanted: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = parameters;
  const values = Object.assign({}, ...statesOf(interaction).map((state) => wanted[state] ?? {}));
  if (Object.keys(values).length === 0) return interaction;
  const filled = structuredClone(interaction);
  for (const state of filled.providerStates ?? []) state.params = { ...state.params, ...wanted[state.name] };
  fillBody(filled.response, values);
  return filled;
}

/** A version 4 pact stores bodies as `{"content": …}` and generators by JSON path. All paths are simple, such as `$.username`. */
function fillBody(response: Interaction['response'], values: Readonly<Record<string, string>>): void {
  const generators = fieldOf(fieldOf(response, 'generators'), 'body');
  const content = fieldOf(response?.body, 'content');
  for (const [path, generator] of Object.entries(Object(generators))) {
    const [, name = ''] = /^\$\{(\w+)\}$/.exec(String(fieldOf(generator, 'expression'))) ?? [];
    const [, field = ''] = /^\$\.(\w+)$/.exec(path) ?? [];
    if (name in values && isObject(content) && field in content) content[field] = values[name];
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const fieldOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);
