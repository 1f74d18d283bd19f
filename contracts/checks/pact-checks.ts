/** Rules that every pact must pass before it is verified. Each finding names the next step. */
import { type AnyPact, type Interaction, keyOf, type Pact, statesOf, titleOf } from '../pact-file.ts';
import { definitionOf, STATES } from '../states.ts';

/** Returns everything that would make a verification weaker than it looks. */
export const checkPact = (pact: Pact): string[] => [
  ...checkAnyPact(pact),
  ...pact.interactions.flatMap(checkInteraction),
];

/** The rules for both kinds of pact: requests and messages. */
export const checkAnyPact = (pact: AnyPact): string[] => [
  ...(pact.interactions.length === 0
    ? ['the pact has no interaction, so its verification would check nothing. Check the program that wrote it.']
    : []),
  ...duplicates(pact),
  ...pact.interactions
    .filter(({ pending }) => pending)
    .map((one) => `"${titleOf(one)}" is pending: its failure would not be reported. Remove "pending".`),
];

function duplicates({ interactions }: AnyPact): string[] {
  const keys = interactions.map((interaction) => keyOf(interaction.description, statesOf(interaction)));
  return interactions
    .filter((_, index) => keys.indexOf(keys[index] ?? '') !== index)
    .map((interaction) => `"${titleOf(interaction)}" occurs twice. Give one of the two another description.`);
}

function checkInteraction(interaction: Interaction): string[] {
  const title = `"${titleOf(interaction)}"`;
  const findings: string[] = [];
  if (interaction.request === undefined || interaction.response === undefined) {
    findings.push(`${title} is not a request with its response. Only those can be verified here.`);
  }
  return [...findings, ...vocabularyFindings(interaction, title), ...valueFindings(interaction, title)];
}

function vocabularyFindings(interaction: Interaction, title: string): string[] {
  return statesOf(interaction)
    .filter((name) => definitionOf(name) === undefined)
    .map(
      (name) =>
        `${title} requires the state "${name}", which is not in the vocabulary. ` +
        `Add it to contracts/states.ts, or use one of: ${Object.keys(STATES).join(' · ')}.`,
    );
}

/** If no state returns a value, the verifier sends the example instead. */
function valueFindings(interaction: Interaction, title: string): string[] {
  const given = new Set(
    statesOf(interaction).flatMap((name) => {
      const { parameters = [], returns = [] } = definitionOf(name) ?? {};
      return [...parameters, ...returns];
    }),
  );
  return [...new Set(expressionsIn([interaction.request, interaction.response]).flatMap(namesIn))]
    .filter((name) => !given.has(name))
    .map(
      (name) =>
        `${title} uses \${${name}}, which none of its states returns. Use a value that contracts/states.ts names.`,
    );
}

const namesIn = (expression: string): string[] =>
  [...expression.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name);

/** The expressions of all generators that read a value from a state. */
function expressionsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { type, expression } = value as { type?: unknown; expression?: unknown };
  const own = type === 'ProviderState' && typeof expression === 'string' ? [expression] : [];
  return [...own, ...Object.values(value).flatMap(expressionsIn)];
}
