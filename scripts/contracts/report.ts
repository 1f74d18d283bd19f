/** Formats reports for people (Markdown) and CI systems (JUnit XML). All functions are pure. */
import type { AnyPact } from '../../contracts/pact-file.ts';
import { hasPassed, type InteractionResult, type Verification } from '../../contracts/verification/verify.ts';

/** One verification and its provider. */
export type Section = { readonly provider: string; readonly verification: Verification };

export type Run = Section & {
  readonly pact: Pick<AnyPact, 'consumer' | 'provider'> | undefined;
  /** ISO 8601. */
  readonly at: string;
};

export const toMarkdown = (runs: readonly Run[]): string =>
  ['# Contract verification', ...runs.map(chapter)].join('\n\n');

function chapter({ pact, provider, verification, at }: Run): string {
  const { interactions, findings } = verification;
  const rows = interactions.map(({ title, reasons }) =>
    reasons.length === 0
      ? `| ${cell(title)} | passed | |`
      : `| ${cell(title)} | **FAILED** | ${reasons.map(cell).join('<br>')} |`,
  );
  return [
    `- Contract: ${pact === undefined ? 'none' : cell(`${pact.consumer.name} → ${pact.provider.name}`)}`,
    `- Provider: ${cell(provider)}`,
    `- Time: ${at}`,
    `- Result: **${hasPassed(verification) ? 'passed' : 'FAILED'}**`,
    '',
    ...(rows.length === 0
      ? ['No interactions were verified.']
      : ['| interaction | result | reason |', '| --- | --- | --- |', ...rows]),
    ...(findings.length === 0 ? [] : ['', '## Other findings', '', ...findings.map((finding) => `- ${cell(finding)}`)]),
    '',
  ].join('\n');
}

export function toJunit(runs: readonly Run[]): string {
  const suites = runs.map(testSuite);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${countsOf(suites.flatMap(({ cases }) => cases))}>`,
    ...suites.map(({ text }) => text),
    '</testsuites>',
    '',
  ].join('\n');
}

function testSuite({ pact, provider, verification, at }: Run): { cases: string[]; text: string } {
  const { interactions, findings } = verification;
  const cases = [...interactions, { title: 'the run as a whole', reasons: findings }].map(testCase);
  const name = `${pact?.consumer.name ?? 'no pact'} → ${pact?.provider.name ?? 'no provider'}: ${provider}`;
  const head = `  <testsuite name="${xml(name)}" ${countsOf(cases)} timestamp="${xml(at)}">`;
  return { cases, text: [head, ...cases, '  </testsuite>'].join('\n') };
}

const countsOf = (cases: readonly string[]): string =>
  `tests="${cases.length}" failures="${cases.filter((one) => one.includes('<failure')).length}" errors="0"`;

function testCase({ title, reasons }: InteractionResult): string {
  const head = `    <testcase classname="contract" name="${xml(title)}"`;
  if (reasons.length === 0) return `${head}/>`;
  return `${head}>\n      <failure message="${xml(reasons[0] ?? '')}">${xml(reasons.join('\n'))}</failure>\n    </testcase>`;
}

// Escape every special character, because a response can contain anything.
const cell = (text: string): string =>
  text.replaceAll(/[\s\p{C}]+/gu, ' ').replaceAll(/[\\|<>&`*_[\]]/g, (character) => `&#${character.charCodeAt(0)};`);

const xml = (text: string): string =>
  text
    .replaceAll(/(?!\n)[\p{C}]/gu, ' ')
    .replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll('\n', '&#10;');
