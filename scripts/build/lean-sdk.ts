/** What of the AWS SDK never runs in these functions stays out of their bundles: import time grows with every KiB. */
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { resolve } from 'node:path';
import type { Plugin } from 'esbuild';

const here = (file: string): string => resolve(import.meta.dirname, file);

export const LEAN_SDK_ALIASES = {
  '@aws-sdk/credential-provider-node': here('lambda-credentials.ts'),
  '@aws-sdk/middleware-endpoint-discovery': here('no-endpoint-discovery.ts'),
  '@smithy/core/event-streams': here('no-event-streams.ts'),
};

/**
 * The SDK makes UUIDs with the global `crypto`, and asks whether a body is a `ReadableStream`: for that, Node would load all of Web Crypto
 * and web streams.
 */
export const NO_WEB_GLOBALS = {
  define: { crypto: 'cryptoOfBundle', ReadableStream: 'undefined' },
  banner: "const cryptoOfBundle = { randomUUID: () => process.getBuiltinModule('node:crypto').randomUUID() };",
};

/** A client imports its whole package.json to know its own version. */
export const versionsOnly: Plugin = {
  name: 'versions only',
  setup(build) {
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/]client-[a-z-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version }: { version: string } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** Lambda says all in the environment: no file of an AWS profile is looked for, and no instance is asked for its region. */
export const noProfiles: Plugin = {
  name: 'no profiles',
  setup(build) {
    build.onLoad({ filter: /[\\/]node-config-provider[\\/]configLoader\.js$/ }, () => ({
      contents: `export { loadConfig } from ${JSON.stringify(here('environment-config.ts'))};`,
    }));
    build.onLoad({ filter: /[\\/]getInstanceMetadataRegion\.js$/ }, () => ({
      contents: 'export const getInstanceMetadataRegion = async () => undefined;',
    }));
  },
};

/** No logger is configured. For the empty default logger, the SDK would still copy the input and output of every call. */
export const noLogs: Plugin = {
  name: 'no logs',
  setup(build) {
    build.onLoad({ filter: /[\\/]middleware-logger[\\/]loggerMiddleware\.js$/ }, () => ({
      contents:
        'export const loggerMiddleware = undefined, loggerMiddlewareOptions = undefined; export const getLoggerPlugin = () => ({ applyToStack: () => {} });',
    }));
  },
};

/** Names that would load a part of Node when they are read. No body of a request is a file, and UUIDs come from randomUUID. */
const DEAR: Readonly<Record<string, string>> = {
  'node:fs ReadStream': 'class {}',
  'node:crypto getRandomValues': '(bytes) => all.getRandomValues(bytes)',
  'node:http CloseEvent': 'undefined',
  'node:http MessageEvent': 'undefined',
  'node:http WebSocket': 'undefined',
};

/**
 * An ES import of a built-in module reads every export of it, and some of those load more: node:http's bring Node's own fetch. So
 * only the names that are used are read.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy built-ins',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(node:)?(${builtinModules.join('|')})$`) }, ({ path }) => ({
      path: path.replace(/^(node:)?/, 'node:'),
      namespace: 'built-in',
    }));
    build.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter((name) => name !== 'default');
      const load = `process.getBuiltinModule('${path}')`;
      const read = (name: string): string => DEAR[`${path} ${name}`] ?? `/* @__PURE__ */ (() => all.${name})()`;
      const exported = names.map((name) => `export const ${name} = ${read(name)};`);
      return { contents: [`const all = ${load}; export default all;`, ...exported].join('\n') };
    });
  },
};
