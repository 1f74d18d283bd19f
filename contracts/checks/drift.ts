/** Checks that the committed pact matches the one that the consumer tests generate. */
import { existsSync, readFileSync } from 'node:fs';
import { type AnyPact, keyOf, normalText, readAnyPact, statesOf, titleOf } from '../pact-file.ts';

const ADVICE =
  'If the change is intended, run `npm run contracts -- --accept` and commit the pact together with your change.';

/** Returns the differences as findings. Returns no findings if the committed file contains exactly the generated pact. */
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
