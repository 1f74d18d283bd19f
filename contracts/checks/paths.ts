/** Checks that every request path in the source code is covered by an interaction. */
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Pact } from '../pact-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** `method` is `any` if the source does not name the method next to the path. */
type Call = { readonly file: string; readonly method: string; readonly path: string };

/** Programs pass paths of their own choice to this file's functions. */
const CALLERS_PATHS = 'lib/flashblade/calls.ts';

/** Returns the shipped source files that contain paths, keyed by name. */
export const shippedSources = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    globSync('{lib,functions}/**/*.ts', { cwd: ROOT, exclude: [CALLERS_PATHS] }).map((name) => [
      name,
      readFileSync(resolve(ROOT, name), 'utf8'),
    ]),
  );

/** Returns findings. Paths that callers pass to `request` do not appear in the source code and are not checked. */
export function checkPaths({ interactions }: Pact, sources: Readonly<Record<string, string>>): string[] {
  const isCovered = ({ method, path }: Call) =>
    interactions.some(
      ({ request }) =>
        request !== undefined && (method === 'any' || method === request.method) && path === anyVersion(request.path),
    );
  return Object.entries(sources)
    .flatMap(([file, source]) => callsIn(file, withoutComments(source)))
    .filter((call) => !isCovered(call))
    .map(
      ({ file, method, path }) =>
        `${file} calls ${path} (method: ${method}), which no interaction covers. ` +
        'Add an interaction to contracts/consumer. If a path contains a variable other than the version, write out each path.',
    );
}

function callsIn(file: string, source: string): Call[] {
  const calls = source.matchAll(/(?:method: '([A-Z]+)',\s*path: )?(['"`])(\/(?:api|oauth2)\/.*?)\2/g);
  return [...calls].flatMap(([, method = 'any', , path = '']) =>
    completions(anyVersion(path), source).map((complete) => ({ file, method, path: complete })),
  );
}

/**
 * Expands a path that ends in a function's first parameter, such as `${name}`, into one path for each string literal that
 * the source passes to that function. Any other argument leaves the path unresolved, so no interaction covers it.
 */
function completions(path: string, source: string): string[] {
  const [, parameter] = /\/\$\{(\w+)\}$/.exec(path) ?? [];
  const [, name] = (parameter && new RegExp(`function (\\w+)\\(${parameter}: string`).exec(source)) || [];
  if (name === undefined) return [path];
  const calls = [...source.matchAll(new RegExp(`(?<!function )\\b${name}\\((?:'([^']*)')?`, 'g'))];
  return calls.map(([, text]) => (text === undefined ? path : path.replace(/\$\{\w+\}$/, text)));
}

/** Treats `/api/2.26/arrays` and the template `/api/${version}/arrays` as the same path. */
export const anyVersion = (path: string): string =>
  path.replace(/^\/api\/(\d+(\.\d+)+|\$\{\w+\})\//, '/api/{version}/');

const withoutComments = (source: string): string => source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
