/** Checks all Markdown documents: links, anchors, images, commands, examples, and that a reader can reach each of them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, resolve } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../../../scripts/build.ts';
import { commandFaults } from './commands.ts';
import { type Document, type Link, parseDocument, shellCommands } from './markdown.ts';

export type Project = {
  /** The texts of the documents, by file. */
  readonly documents: Readonly<Record<string, string>>;
  /** All files. */
  readonly files: readonly string[];
};

/** Documents that nothing has to link to. */
const ARCHIVED = /(^|\/)archive\//;
const START = 'README.md';

/** The tracked files. */
export function theProject(): Project {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
  const documents = files.filter((file) => file.endsWith('.md'));
  const read = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');
  return { files, documents: Object.fromEntries(documents.map((file) => [file, read(file)])) };
}

type Parsed = Readonly<Record<string, Document>>;
const parse = ({ documents }: Project): Parsed =>
  Object.fromEntries(Object.entries(documents).map(([file, text]) => [file, parseDocument(text)]));

const isRelative = (href: string): boolean => !/^[a-z][a-z\d+.-]*:/i.test(href);

/** All links, blocks or quotations, each with its place. */
const every = <One extends { readonly line: number }>(
  project: Project,
  onesOf: (document: Document) => readonly One[],
): (One & { readonly file: string; readonly at: string })[] =>
  Object.entries(parse(project)).flatMap(([file, document]) =>
    onesOf(document).map((one) => ({ ...one, file, at: `${file}:${one.line}` })),
  );

/** The file or folder that a relative link leads to, from the project's folder; '' is that folder itself. */
const targetOf = (file: string, href: string): string => {
  const path = decodeURIComponent(href.replace(/[#?].*$/s, ''));
  return path === '' ? file : posix.join(posix.dirname(file), path).replace(/\/$/, '').replace(/^\.$/, '');
};

const isFolder = (target: string, files: readonly string[]): boolean =>
  target === '' || files.some((file) => file.startsWith(`${target}/`));

/** Relative links and images without a tracked file, and anchors that do not exist. */
export function linkFaults(project: Project): string[] {
  const parsed = parse(project);
  return every(project, ({ links }) => links)
    .filter(({ href }) => isRelative(href))
    .flatMap((link) => {
      const fault = relativeFault(link, project.files, parsed);
      return fault === undefined ? [] : [`${link.at} ${link.href}: ${fault}`];
    });
}

function relativeFault(
  { file, href, isImage }: Link & { readonly file: string },
  files: readonly string[],
  parsed: Parsed,
): string | undefined {
  if (href.startsWith('/')) return 'a link must be relative to its document';
  const target = targetOf(file, href);
  const anchor = /#(.*)$/s.exec(href)?.[1];
  const isLinkToFolder = !isImage && anchor === undefined && isFolder(target, files);
  if (!files.includes(target)) return isLinkToFolder ? undefined : 'there is no such file';
  if (anchor === undefined) return undefined;
  if (parsed[target] === undefined) return 'only documents have anchors';
  return parsed[target].anchors.has(decodeURIComponent(anchor)) ? undefined : 'there is no such heading';
}

/** Links to the world that are no addresses of pages by HTTPS. They are not fetched. */
export const addressFaults = (project: Project): string[] =>
  every(project, ({ links }) => links)
    .filter(({ href }) => !isRelative(href) && !isAddress(href))
    .map(({ at, href }) => `${at} ${href}: this is no https address`);

const httpsUrl = z.url({ protocol: /^https$/, hostname: z.regexes.domain });

const isAddress = (href: string): boolean =>
  href.startsWith('mailto:')
    ? z.email().safeParse(href.slice('mailto:'.length)).success
    : httpsUrl.safeParse(href).success && !new URL(href).username && !new URL(href).password;

/** Documents that no way of links leads to from the README. A link to a folder leads to its README. */
export function orphans(project: Project): string[] {
  const parsed = parse(project);
  const reached = new Set<string>();
  const waiting = [START];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const document = parsed[file];
    if (reached.has(file) || document === undefined) continue;
    reached.add(file);
    for (const { href } of document.links.filter((link) => isRelative(link.href))) {
      const target = targetOf(file, href);
      waiting.push(target, posix.join(target, 'README.md'));
    }
  }
  return Object.keys(parsed).filter((file) => !reached.has(file) && !ARCHIVED.test(file));
}

const SHELL = /^(sh|bash|shell|console)\b/;

/** Commands in blocks and in quoted code that do not exist, and their flags. */
export async function documentCommandFaults(project: Project): Promise<string[]> {
  const faults = commandsOf(project).map(async ({ at, words }) =>
    (await commandFaults(words)).map((fault) => `${at} ${words.join(' ')}: ${fault}`),
  );
  return (await Promise.all(faults)).flat();
}

function commandsOf(project: Project) {
  const blocks = every(project, (document) => document.blocks.filter(({ info }) => SHELL.test(info)));
  const quoted = every(project, (document) => document.quoted.filter(({ code }) => /^np[mx] /.test(code)));
  return [
    // The first line of a block is its fence.
    ...blocks.flatMap(({ file, line: fence, code }) =>
      shellCommands(code).map(({ line, words }) => ({ at: `${file}:${fence + line}`, words })),
    ),
    // In quoted code, <name> is a placeholder and no redirection.
    ...quoted.flatMap(({ at, code }) => shellCommands(code.replace(/[<>]/g, '')).map(({ words }) => ({ at, words }))),
  ];
}

/** Blocks of shell that bash does not parse, and of JSON that is none. */
export function syntaxFaults(project: Project): string[] {
  return every(project, ({ blocks }) => blocks).flatMap(({ at, info, code }) => {
    if (SHELL.test(info)) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
      return status === 0 ? [] : [`${at} ${stderr.split('\n')[0]}`];
    }
    return /^json\b/.test(info) && !isJson(code) ? [`${at} this is no JSON`] : [];
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What a block of TypeScript is: a whole program against the library, one that a test runs, or a quotation from a file. */
const KINDS = ['ts example', 'ts run', 'ts quote'];

/** Blocks of TypeScript whose kind is not said, and programs that do not compile against the library's public types. */
export function typeScriptFaults(project: Project): string[] {
  const blocks = every(project, ({ blocks }) => blocks).filter(({ info }) =>
    /^(ts|typescript|js|javascript)\b/.test(info),
  );
  const unknown = blocks.filter(({ info }) => !KINDS.includes(info));
  const programs = blocks.filter(({ info }) => info === 'ts example' || info === 'ts run');
  return [
    ...unknown.map(({ at, info }) => `${at} ${info} is none of ${KINDS.join(', ')}`),
    ...compileFaults(programs.map(({ at, code }) => [at, code])),
  ];
}

function compileFaults(programs: readonly (readonly [at: string, code: string])[]): string[] {
  if (programs.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-examples-'));
  try {
    symlinkSync(resolve(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const [n, [, code]] of programs.entries()) writeFileSync(join(folder, `${n}.ts`), code);
    const paths = {
      'flashblade-sessions': [resolve(ROOT, 'lib/index.ts')],
      'flashblade-sessions/*': [resolve(ROOT, 'lib/*.ts')],
    };
    const config = {
      extends: resolve(ROOT, 'tsconfig.json'),
      compilerOptions: { paths, noUnusedLocals: false, noPropertyAccessFromIndexSignature: false },
      include: ['*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      cwd: folder,
    });
    return stdout
      .split('\n')
      .filter((line) => line.includes('error TS'))
      .map((line) => line.replace(/^(?:.*\/)?(\d+)\.ts\(\d+,\d+\): /, (_, n) => `${programs[Number(n)]?.[0]} `));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
