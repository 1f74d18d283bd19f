/** Checks that every pact must pass before it is verified. Each finding says how to fix it. */
import { existsSync, readFileSync } from 'node:fs';
import {
  type AnyPact,
  type Interaction,
  keyOf,
  normalText,
  type Pact,
  readAnyPact,
  statesOf,
  titleOf,
} from '../pact-file.ts';
import { definitionOf, STATES } from '../states.ts';

/** Returns a finding for everything that would make the verification weaker than it appears. */
export function checkPact(pact: Pact): string[] {
  const { version } = Object(pact.metadata?.['pactSpecification']) as { version?: unknown };
  if (typeof version === 'string' && /^[12](\.|$)/.test(version)) return [OLD_SPECIFICATION];
  return [...checkAnyPact(pact), ...pact.interactions.flatMap(checkInteraction)];
}

const OLD_SPECIFICATION =
  'the pact uses version 1 or 2 of the Pact specification, which cannot put the values of states, such as API tokens, into requests. ' +
  'Write the pact with version 3 or 4, for example with PactV4 in Pact JS.';

/** Checks that apply to both HTTP pacts and message pacts. */
export const checkAnyPact = (pact: AnyPact): string[] => [
  ...(pact.interactions.length === 0
    ? ['the pact has no interactions, so verification would check nothing. Check the program that wrote the pact.']
    : []),
  ...duplicates(pact),
  ...pact.interactions
    .filter(({ pending }) => pending)
    .map((one) => `"${titleOf(one)}" is pending, so a failure would not be reported. Remove "pending".`),
];

function duplicates({ interactions }: AnyPact): string[] {
  const keys = interactions.map((interaction) => keyOf(interaction.description, statesOf(interaction)));
  return interactions
    .filter((_, index) => keys.indexOf(keys[index] ?? '') !== index)
    .map((interaction) => `"${titleOf(interaction)}" occurs twice. Give one interaction a different description.`);
}

function checkInteraction(interaction: Interaction): string[] {
  const title = `"${titleOf(interaction)}"`;
  const findings: string[] = [];
  if (interaction.request === undefined || interaction.response === undefined) {
    findings.push(`${title} is not a request with a response. Other interactions cannot be verified here.`);
  }
  return [...findings, ...vocabularyFindings(interaction, title), ...valueFindings(interaction, title)];
}

function vocabularyFindings(interaction: Interaction, title: string): string[] {
  return statesOf(interaction)
    .filter((name) => definitionOf(name) === undefined)
    .map(
      (name) =>
        `${title} requires the state "${name}", which is not in the vocabulary. ` +
        `Use one of: ${Object.keys(STATES).join(' · ')}.`,
    );
}

/** Finds values that no state returns. The verifier would send the example instead of such a value. */
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
        `${title} uses \${${name}}, which none of its states returns. Its states have: ${[...given].join(', ') || 'no values'}.`,
    );
}

const namesIn = (expression: string): string[] =>
  [...expression.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name);

/** Returns the expression from every generator that reads a value from a state. */
function expressionsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { type, expression } = value as { type?: unknown; expression?: unknown };
  const own = type === 'ProviderState' && typeof expression === 'string' ? [expression] : [];
  return [...own, ...Object.values(value).flatMap(expressionsIn)];
}

const ADVICE =
  'If the change is intended, run `npm run contracts -- --accept` and commit the pact together with your change.';

/** Checks that the committed pact matches the one that the consumer tests generate. Returns the differences as findings. Returns no findings if the committed file contains exactly the generated pact. */
export function checkDrift(generated: AnyPact, committedFile: string): string[] {
  if (!existsSync(committedFile)) return [`there is no committed pact at ${committedFile}. ${ADVICE}`];
  if (readFileSync(committedFile, 'utf8') === normalText(generated)) return [];
  const changes = changesBetween(readAnyPact(committedFile), generated);
  const what = changes.length === 0 ? ['the interactions match, but something else differs'] : changes;
  return [`the committed pact does not match the consumer tests: ${what.join('; ')}. ${ADVICE}`];
}

function changesBetween(committed: AnyPact, generated: AnyPact): string[] {
  const before = byKey(committed);
  const after = byKey(generated);
  return [
    ...[...after].filter(([key]) => !before.has(key)).map(([, { title }]) => `new: "${title}"`),
    ...[...before].filter(([key]) => !after.has(key)).map(([, { title }]) => `removed: "${title}"`),
    ...[...after]
      .filter(([key, { text }]) => before.has(key) && before.get(key)?.text !== text)
      .map(([, { title }]) => `changed: "${title}"`),
  ];
}

const byKey = ({ interactions }: AnyPact) =>
  new Map(
    interactions.map((interaction) => [
      keyOf(interaction.description, statesOf(interaction)),
      { title: titleOf(interaction), text: JSON.stringify(interaction) },
    ]),
  );
