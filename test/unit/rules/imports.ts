/**
 * The import rule: imports point down only. functions → lambda → fleet → leases → flashblade → core. `aws` implements the ports of
 * `leases`; only compose.ts and, for a single function, lambda/batch.ts and lambda/sweep-ports.ts know both sides. `npm run check` and imports.test.ts apply it.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { parseAst } from 'vitest/node';

/** What a folder or a file may import: folders, files and packages. A file's own row replaces the row of its folder. */
const ALLOWED: Readonly<Record<string, string>> = {
  'functions/': 'lib/lambda/ lib/fleet/ lib/leases/ lib/core/ aws-lambda',
  'lib/index.ts': 'lib/compose.ts lib/leases/ lib/flashblade/ lib/core/',
  'lib/compose.ts': 'lib/aws/ lib/leases/ports.ts lib/flashblade/ lib/core/ @aws-sdk/ node:',
  'lib/lambda/':
    'lib/lambda/ lib/compose.ts lib/fleet/ lib/leases/ lib/flashblade/ lib/core/ @aws-lambda-powertools/ aws-lambda',
  'lib/lambda/batch.ts':
    'lib/lambda/invocation.ts lib/aws/client.ts lib/aws/outbox.ts lib/leases/ lib/core/ @aws-lambda-powertools/ @aws-sdk/ aws-lambda',
  'lib/lambda/sweep-ports.ts':
    'lib/lambda/invocation.ts lib/aws/client.ts lib/aws/executions.ts lib/leases/ports.ts lib/core/ @aws-sdk/',
  'lib/fleet/': 'lib/fleet/ lib/leases/ lib/flashblade/ lib/core/ valibot',
  'lib/leases/': 'lib/leases/ lib/flashblade/ lib/core/ valibot',
  'lib/aws/':
    'lib/aws/ lib/leases/ports.ts lib/leases/items.ts lib/leases/events.ts lib/flashblade/ lib/core/ @aws-sdk/ valibot node:',
  'lib/flashblade/': 'lib/flashblade/ lib/core/ node:',
  'lib/core/': 'lib/core/ valibot node:',
};
/** What a folder must not import, where all else is allowed. */
const FORBIDDEN: Readonly<Record<string, string>> = { 'scripts/': 'functions/', 'bench/': 'functions/' };

/** The text of files by path, relative to the project's folder. */
type Sources = Readonly<Record<string, string>>;

export const ROOT = resolve(import.meta.dirname, '../../..');

/** Reads the files that have to obey the rule. */
export const readSources = (root = ROOT): Sources =>
  Object.fromEntries(
    globSync('{bench,functions,lib,scripts}/**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}', { cwd: root })
      .sort()
      .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')]),
  );

/** Returns a message for every import that the rule forbids, and for every file without a row. */
export const findViolations = (sources: Sources): string[] =>
  Object.entries(sources).flatMap(([path, text]) => {
    const keys = Object.keys({ ...ALLOWED, ...FORBIDDEN }).filter((key) => covers(key, path));
    const key = keys.sort((a, b) => b.length - a.length)[0];
    if (key === undefined) return [`${path}: add its folder to the import rule in test/unit/rules/imports.ts`];
    const [allowed, forbidden] = [ALLOWED[key], FORBIDDEN[key]].map((row) => row?.split(' '));
    const why = allowed ? `may import only ${allowed.join(', ')}` : `must not import ${forbidden?.join(', ')}`;
    return importsOf(path, text)
      .filter((target) =>
        allowed ? !allowed.some((entry) => covers(entry, target)) : forbidden?.some((entry) => covers(entry, target)),
      )
      .map((target) => `${path} imports ${target}: ${key} ${why}`);
  });

/** Returns import cycles, as paths from file to file: at least one if there is any. Imports of types count. */
export function findCycles(sources: Sources): string[] {
  const cycles: string[] = [];
  const visited = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
    const text = sources[path];
    if (text === undefined || visited.has(path)) return;
    visited.add(path);
    for (const target of importsOf(path, text)) visit(target, [...trail, path]);
  };
  for (const path of Object.keys(sources)) visit(path, []);
  return cycles;
}

/** Ways to load a module that this rule cannot follow. */
const LOADERS = ['require', 'createRequire', 'getBuiltinModule'];

/** What a file imports: a path in the project, or a package. What the rule cannot follow counts as an import of `?`. */
function importsOf(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, source, name } = node as { type?: unknown; source?: { value?: unknown } | null; name?: unknown };
    if (source && /Import|Export/.test(String(type))) found.push(typeof source.value === 'string' ? source.value : '?');
    if (type === 'Identifier' && LOADERS.includes(String(name))) found.push('?');
    Object.values(node).forEach(visit);
  };
  visit(parseAst(text, { lang: 'ts' }));
  return found
    .map((target) => target.replace(/[?#].+$/, ''))
    .map((target) => (target.startsWith('.') ? posix.join(posix.dirname(path), target) : target));
}

const covers = (entry: string, path: string): boolean =>
  path === entry || `${path}/` === entry || (/[/:]$/.test(entry) && path.startsWith(entry));
