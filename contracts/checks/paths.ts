/** Whether every request that the client itself chooses is pinned by an interaction. */
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Pact } from '../pact-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** `any` where the source does not name the method beside the path. */
type Call = { readonly file: string; readonly method: string; readonly path: string };

/** Sources of what ships, by name. */
export const shippedSources = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    globSync('{lib,functions}/**/*.ts', { cwd: ROOT }).map((name) => [name, readFileSync(resolve(ROOT, name), 'utf8')]),
  );

/** Findings. What a caller of `request` chooses has no path in the sources, and is none of this. */
export function checkPaths({ interactions }: Pact, sources: Readonly<Record<string, string>>): string[] {
  const isPinned = ({ method, path }: Call) =>
    interactions.some(
      ({ request }) =>
        request !== undefined && (method === 'any' || method === request.method) && path === anyVersion(request.path),
    );
  return Object.entries(sources)
    .flatMap(([file, source]) => callsIn(file, withoutComments(source)))
    .filter((call) => !isPinned(call))
    .map(
      ({ file, method, path }) =>
        `${file} calls ${path} (method: ${method}), which no interaction pins. ` +
        'Add one to contracts/consumer; a path that varies in more than the version must be written out.',
    );
}

function callsIn(file: string, source: string): Call[] {
  const calls = source.matchAll(/(?:method: '([A-Z]+)',\s*path: )?(['"`])(\/(?:api|oauth2)\/.*?)\2/g);
  return [...calls].flatMap(([, method = 'any', , path = '']) =>
    completions(anyVersion(path), source).map((complete) => ({ file, method, path: complete })),
  );
}

/**
 * A path that ends in the first parameter of a function, `${name}`, stands for every name with which the source calls that
 * function. Undecided, and so not pinned, if it is called with anything but a text.
 */
function completions(path: string, source: string): string[] {
  const [, parameter] = /\/\$\{(\w+)\}$/.exec(path) ?? [];
  const [, name] = (parameter && new RegExp(`function (\\w+)\\(${parameter}: string`).exec(source)) || [];
  if (name === undefined) return [path];
  const calls = [...source.matchAll(new RegExp(`(?<!function )\\b${name}\\((?:'([^']*)')?`, 'g'))];
  return calls.map(([, text]) => (text === undefined ? path : path.replace(/\$\{\w+\}$/, text)));
}

/** `/api/2.26/arrays` and the template `/api/${version}/arrays` are the same call. */
const anyVersion = (path: string): string => path.replace(/^\/api\/(\d+(\.\d+)+|\$\{\w+\})\//, '/api/{version}/');

const withoutComments = (source: string): string => source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
