/** What came of a run, for people (Markdown) and for CI systems (JUnit XML). Pure: texts in, texts out. */
import type { Pact } from '../../contracts/pact-file.ts';
import { hasPassed, type InteractionResult, type Verification } from '../../contracts/verification/verify.ts';

/** One verification and whom it was about. */
export type Section = { readonly provider: string; readonly verification: Verification };

export type Run = Section & {
  readonly pact: Pick<Pact, 'consumer' | 'provider'> | undefined;
  /** ISO 8601. */
  readonly at: string;
};

export function toMarkdown({ pact, provider, verification, at }: Run): string {
  const { interactions, findings } = verification;
  const rows = interactions.map(({ title, reasons }) =>
    reasons.length === 0
      ? `| ${cell(title)} | passed | |`
      : `| ${cell(title)} | **FAILED** | ${reasons.map(cell).join('<br>')} |`,
  );
  return [
    '# Contract verification',
    '',
    `- Contract: ${pact === undefined ? 'none' : cell(`${pact.consumer.name} → ${pact.provider.name}`)}`,
    `- Provider: ${cell(provider)}`,
    `- Time: ${at}`,
    `- Result: **${hasPassed(verification) ? 'passed' : 'FAILED'}**`,
    '',
    ...(rows.length === 0
      ? ['No interaction was verified.']
      : ['| interaction | result | why |', '| --- | --- | --- |', ...rows]),
    ...(findings.length === 0
      ? []
      : ['', '## What else went wrong', '', ...findings.map((finding) => `- ${cell(finding)}`)]),
    '',
  ].join('\n');
}

export function toJunit({ pact, provider, verification, at }: Run): string {
  const { interactions, findings } = verification;
  const cases = [...interactions, { title: 'the run as a whole', reasons: findings }].map(testCase);
  const failures = cases.filter((one) => one.includes('<failure')).length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0"`;
  const name = `${pact?.consumer.name ?? 'no pact'} → ${pact?.provider.name ?? 'no provider'}: ${provider}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${xml(name)}" ${counts} timestamp="${xml(at)}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase({ title, reasons }: InteractionResult): string {
  const head = `    <testcase classname="contract" name="${xml(title)}"`;
  if (reasons.length === 0) return `${head}/>`;
  return `${head}>\n      <failure message="${xml(reasons[0] ?? '')}">${xml(reasons.join('\n'))}</failure>\n    </testcase>`;
}

// Anybody can write anything into an answer.
const cell = (text: string): string =>
  text.replaceAll(/[\s\p{C}]+/gu, ' ').replaceAll(/[\\|<>&`*_[\]]/g, (character) => `&#${character.charCodeAt(0)};`);

const xml = (text: string): string =>
  text
    .replaceAll(/(?!\n)[\p{C}]/gu, ' ')
    .replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll('\n', '&#10;');
