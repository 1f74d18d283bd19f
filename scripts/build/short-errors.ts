/** The AWS SDK's service error classes would take up a tenth of a bundle. This plugin generates them from a single class. */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** The parts that differ between the SDK's error classes. */
type ErrorClass = {
  readonly name: string;
  readonly namespace: string;
  readonly fault: string;
  readonly retryable: boolean;
  readonly members: readonly string[];
};

const CLASS = /export class [\s\S]*?\n\}\n/g;

/** Shortens an SDK client's `models/errors.js`. Returns source in any other form unchanged, which makes the bundles larger. */
export function shortErrors(source: string): string {
  const classes = (source.match(CLASS) ?? []).map(read);
  const header = source.slice(0, source.indexOf('export class'));
  if (header + classes.map(spelledOut).join('') !== source) return source;
  return [header, ONE_FOR_ALL, ...classes.map(shortened)].join('\n');
}

export const shortErrorsOfSdk: Plugin = {
  name: 'short errors',
  setup(build) {
    build.onLoad(
      { filter: /[\\/]@aws-sdk[\\/]client-[a-z-]+[\\/]dist-es[\\/]models[\\/]errors\.js$/ },
      async ({ path }) => ({
        contents: shortErrors(await readFile(path, 'utf8')),
        loader: 'js',
      }),
    );
  },
};

const read = (text: string): ErrorClass => ({
  name: /export class (\w+)/.exec(text)?.[1] ?? '',
  namespace: /static shapeId = "([\w.]+)#/.exec(text)?.[1] ?? '',
  fault: /\$fault = "(\w+)"/.exec(text)?.[1] ?? '',
  retryable: text.includes('$retryable = {};'),
  members: [...text.matchAll(/this\.(\w+) = opts\.\1;/g)].map(([, member = '']) => member),
});

const ONE_FOR_ALL = `const error = (namespace, name, $fault, members, fixed) =>
  class Own extends __BaseException {
    static name = name;
    static shapeId = namespace + '#' + name;
    constructor(opts) {
      super({ name, $fault, ...opts });
      Object.setPrototypeOf(this, Own.prototype);
      Object.assign(this, { name, $fault }, fixed);
      for (const member of members) this[member] = opts[member];
    }
  };`;

const shortened = ({ name, namespace, fault, retryable, members }: ErrorClass): string => {
  const fixed = retryable ? { $retryable: {} } : {};
  const parts = [namespace, name, fault, members, fixed].map((part) => JSON.stringify(part));
  return `export const ${name} = error(${parts.join(', ')});`;
};

const spelledOut = ({
  name,
  namespace,
  fault,
  retryable,
  members,
}: ErrorClass): string => `export class ${name} extends __BaseException {
    static shapeId = "${namespace}#${name}";
    name = "${name}";
    $fault = "${fault}";
${retryable ? '    $retryable = {};\n' : ''}${members.map((member) => `    ${member};\n`).join('')}    constructor(opts) {
        super({
            name: "${name}",
            $fault: "${fault}",
            ...opts,
        });
        Object.setPrototypeOf(this, ${name}.prototype);
${members.map((member) => `        this.${member} = opts.${member};\n`).join('')}    }
}
`;
