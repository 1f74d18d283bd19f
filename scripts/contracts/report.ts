/** Formats reports for people (Markdown) and CI systems (JUnit XML). All functions are pure. */
import type { AnyPact } from '../../contracts/pact-file.ts';
import type { Answer } from '../../contracts/verification/observations.ts';
import {
  hasPassed,
  INTERRUPTED,
  type InteractionResult,
  type Verification,
} from '../../contracts/verification/verify.ts';
import type { ArrayFacts } from './examine.ts';

/** One verification and its provider. */
export type Section = {
  readonly provider: string;
  readonly verification: Verification;
  /** What a real array reports about itself. */
  readonly facts?: ArrayFacts | undefined;
  /** Answers to the open questions about arrays. */
  readonly answers?: readonly Answer[];
};

export type Run = Section & {
  readonly pact: Pick<AnyPact, 'consumer' | 'provider'> | undefined;
  /** SHA-256 of the pact file, as hex digits. */
  readonly sha256?: string | undefined;
  /** ISO 8601. */
  readonly at: string;
};

/** This project's version and commit. */
export type Project = { readonly version: string; readonly commit: string };

export const toMarkdown = (runs: readonly Run[], project: Project): string =>
  ['# Contract verification', ...runs.map((run) => chapter(run, project))].join('\n\n');

function chapter(run: Run, project: Project): string {
  const { verification, answers = [] } = run;
  const { interactions, findings, unreachable } = verification;
  const other = [...(unreachable === undefined ? [] : [unreachable]), ...findings];
  return [
    ...evidence(run, project).map(([name, value]) => `- ${name}: ${cell(value)}`),
    `- Result: **${resultOf(verification)}**`,
    '',
    ...(interactions.length === 0
      ? ['No interactions were verified.']
      : ['| interaction | result | reason |', '| --- | --- | --- |', ...interactions.map(row)]),
    ...(other.length === 0 ? [] : ['', '## Other findings', '', ...other.map((finding) => `- ${cell(finding)}`)]),
    ...(answers.length === 0
      ? []
      : ['', '## What this run shows about the array', '', '| question | answer |', '| --- | --- |']),
    ...answers.map(({ question, answer }) => `| ${cell(question)} | ${cell(answer)} |`),
    '',
  ].join('\n');
}

function evidence({ pact, sha256, provider, facts, at }: Run, { version, commit }: Project): [string, string][] {
  const from = (facts?.versions ?? []).at(0);
  return [
    ['Contract', pact === undefined ? 'none' : `${pact.consumer.name} → ${pact.provider.name}`],
    ...(sha256 === undefined ? [] : [['SHA-256 of the pact', sha256] as [string, string]]),
    ['Provider', provider],
    ...(facts === undefined
      ? []
      : ([
          ['Purity', facts.purity ?? 'not reported to this user'],
          ['REST', from === undefined ? 'none' : `${from} to ${facts.versions.at(-1)}`],
        ] as [string, string][])),
    ['Verified by', `flashblade-sessions ${version}, commit ${commit}`],
    ['Time', at],
  ];
}

const resultOf = (verification: Verification): string => {
  if (verification.findings.includes(INTERRUPTED)) return 'interrupted';
  return hasPassed(verification) ? 'passed' : 'FAILED';
};

/** The result of one interaction, in one word. */
export const wordFor = ({ reasons, skipped }: InteractionResult): 'passed' | 'skipped' | 'FAILED' => {
  if (skipped !== undefined) return 'skipped';
  return reasons.length === 0 ? 'passed' : 'FAILED';
};

function row(result: InteractionResult): string {
  const word = wordFor(result);
  const reasons = [result.skipped ?? [], result.reasons].flat().map(cell).join('<br>');
  return `| ${cell(result.title)} | ${word === 'FAILED' ? '**FAILED**' : word} | ${reasons}${reasons && ' '}|`;
}

export function toJunit(runs: readonly Run[], project: Project): string {
  const suites = runs.map((run) => testSuite(run, project));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${countsOf(suites.flatMap(({ cases }) => cases))}>`,
    ...suites.map(({ text }) => text),
    '</testsuites>',
    '',
  ].join('\n');
}

function testSuite(run: Run, project: Project): { cases: string[]; text: string } {
  const { pact, provider, verification, at } = run;
  const { interactions, findings, unreachable } = verification;
  const reasons = [...(unreachable === undefined ? [] : [unreachable]), ...findings];
  const isError = unreachable !== undefined || findings.includes(INTERRUPTED);
  const whole = { title: 'the run as a whole', reasons, unreachable: isError };
  const cases = [...interactions, whole].map(testCase);
  const name = `${pact?.consumer.name ?? 'no pact'} → ${pact?.provider.name ?? 'no provider'}: ${provider}`;
  const properties = evidence(run, project).map(
    ([key, value]) => `      <property name="${xml(key)}" value="${xml(value)}"/>`,
  );
  const head = [
    `  <testsuite name="${xml(name)}" ${countsOf(cases)} timestamp="${xml(at)}">`,
    '    <properties>',
    ...properties,
    '    </properties>',
  ];
  return { cases, text: [...head, ...cases, '  </testsuite>'].join('\n') };
}

function countsOf(cases: readonly string[]): string {
  const count = (name: string) => cases.filter((one) => one.includes(`<${name}`)).length;
  return `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
}

function testCase({ title, reasons, skipped, unreachable = false }: InteractionResult): string {
  const head = `    <testcase classname="contract" name="${xml(title)}"`;
  if (skipped !== undefined) return `${head}>\n      <skipped message="${xml(skipped)}"/>\n    </testcase>`;
  if (reasons.length === 0) return `${head}/>`;
  const name = unreachable ? 'error' : 'failure';
  return `${head}>\n      <${name} message="${xml(reasons[0] ?? '')}">${xml(reasons.join('\n'))}</${name}>\n    </testcase>`;
}

// Escape every special character, because a response can contain anything.
const cell = (text: string): string =>
  text.replaceAll(/[\s\p{C}]+/gu, ' ').replaceAll(/[\\|<>&`*_[\]]/g, (character) => `&#${character.charCodeAt(0)};`);

const xml = (text: string): string =>
  text
    .replaceAll(/(?!\n)[\p{C}]/gu, ' ')
    .replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll('\n', '&#10;');
