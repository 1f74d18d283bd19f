/**
 * The prose rule: words that this project does not use, in documents and in comments and strings of the code, and a few rules about the
 * structure of documents. markdownlint checks the documents.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration, MicromarkToken, Rule } from 'markdownlint';
import { lint } from 'markdownlint/sync';
import { TERMS, type Term } from './terms.ts';

export type Finding = { readonly line: number; readonly found: string; readonly write: string };

/** A break between two words: with the beginning of the next line of a comment, a list or a quotation. */
const BREAK = String.raw`(?:\s|(?<=\n\s*)(?:\*|\/\/|#|>))+`;

const PATTERNS: readonly (readonly [RegExp, Term])[] = TERMS.map((term) => [
  new RegExp(String.raw`(?<![\w$])(?:${term.find.replaceAll(' ', BREAK)})(?![\w$])`, term.isExact ? 'g' : 'gi'),
  term,
]);

/** Words without the line breaks and comment signs between them. */
const oneLine = (found: string): string => found.replace(/[\s*/#>]+/g, ' ');

/** The words of `text` that this project does not use, in the order of lines. */
export function findTerms(text: string, { isDocument = false } = {}): Finding[] {
  return PATTERNS.filter(([, { inDocuments }]) => isDocument || !inDocuments)
    .flatMap(([pattern, { write }]) =>
      [...text.matchAll(pattern)]
        .map(({ index, 0: found }) => ({ line: text.slice(0, index).split('\n').length, found, write }))
        // A correct name may be found without regard to case.
        .filter(({ found }) => oneLine(found) !== write),
    )
    .sort((a, b) => a.line - b.line);
}

/** Not read as prose: what is quoted from code, and addresses. */
const NO_PROSE = [
  'codeText',
  'resourceDestination',
  'autolink',
  'definitionDestination',
  'literalAutolink',
  'htmlFlow',
];
const FENCED = ['codeFenced', 'codeIndented'];

const nested = (tokens: readonly MicromarkToken[]): MicromarkToken[] =>
  tokens.flatMap((token) => [token, ...nested(token.children)]);

/** Spaces for everything but prose. Of a block of code its comments remain. */
function proseOf(lines: readonly string[], tokens: readonly MicromarkToken[]): string {
  const prose = [...lines];
  for (const { type, startLine, startColumn, endLine, endColumn } of nested(tokens)) {
    if (!NO_PROSE.includes(type) && !FENCED.includes(type)) continue;
    for (let n = startLine - 1; n < endLine; n++) {
      const text = prose[n] ?? '';
      const from = n === startLine - 1 ? startColumn - 1 : 0;
      const to = n === endLine - 1 ? endColumn - 1 : text.length;
      const comment = FENCED.includes(type) ? /(?:^|\s)(?:#|\/\/) .*$/.exec(text)?.index : undefined;
      const end = comment ?? to;
      prose[n] = text.slice(0, from) + ' '.repeat(Math.max(0, end - from)) + text.slice(end);
    }
  }
  return prose.join('\n');
}

const termsRule: Rule = {
  names: ['terms'],
  description: 'Words that this project does not use',
  tags: ['words'],
  parser: 'micromark',
  function: ({ lines, parsers }, onError) => {
    for (const { line, found, write } of findTerms(proseOf(lines, parsers.micromark.tokens), { isDocument: true })) {
      onError({ lineNumber: line, detail: messageOf(found, write) });
    }
  },
};

const messageOf = (found: string, write: string): string => `"${oneLine(found)}": write ${write}`;

const CONFIG: Configuration = {
  default: false,
  terms: true,
  'heading-increment': true,
  'no-reversed-links': true,
  'no-missing-space-atx': true,
  'no-duplicate-heading': { siblings_only: true },
  'single-title': true,
  'fenced-code-language': true,
  'no-empty-links': true,
  'no-alt-text': true,
  'reference-links-images': true,
  'table-column-count': true,
};

/** The faults of these files, as `file:line what is wrong`. Names relative to `root`. */
export const checkProse = (root: string, files: readonly string[]): string[] =>
  files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    if (file.endsWith('.md')) return checkDocument(file, text);
    return findTerms(text).map(({ line, found, write }) => `${file}:${line} ${messageOf(found, write)}`);
  });

export function checkDocument(file: string, text: string): string[] {
  const results = lint({ strings: { [file]: text }, customRules: [termsRule], config: CONFIG, noInlineConfig: true });
  return (results[file] ?? []).map(
    ({ lineNumber, ruleNames: [rule], ruleDescription, errorDetail, errorContext }) =>
      `${file}:${lineNumber} ${rule === 'terms' ? errorDetail : [ruleDescription, errorDetail, errorContext].filter(Boolean).join(': ')}`,
  );
}
