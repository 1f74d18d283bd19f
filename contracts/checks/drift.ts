/** Whether the committed pact is what the consumer tests say today. */
import { existsSync, readFileSync } from 'node:fs';
import { type AnyPact, keyOf, normalText, readAnyPact, statesOf, titleOf } from '../pact-file.ts';

const ADVICE =
  'If that is meant, accept it with `npm run contracts -- --accept`, and commit it together with the change that wants it.';

/** Findings; none if the file holds exactly the text of the pact. */
export function checkDrift(generated: AnyPact, committedFile: string): string[] {
  if (!existsSync(committedFile)) return [`there is no committed pact at ${committedFile}. ${ADVICE}`];
  if (readFileSync(committedFile, 'utf8') === normalText(generated)) return [];
  const changes = changesBetween(readAnyPact(committedFile), generated);
  const what = changes.length === 0 ? ['it differs in something other than its interactions'] : changes;
  return [`the committed pact is not what the consumer tests say: ${what.join('; ')}. ${ADVICE}`];
}

function changesBetween(committed: AnyPact, generated: AnyPact): string[] {
  const before = byKey(committed);
  const after = byKey(generated);
  return [
    ...[...after].filter(([key]) => !before.has(key)).map(([, { title }]) => `new: "${title}"`),
    ...[...before].filter(([key]) => !after.has(key)).map(([, { title }]) => `gone: "${title}"`),
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
