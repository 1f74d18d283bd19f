/** Excludes parts of the AWS SDK that these functions never run, because import time grows with every KiB. */
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
 * Replaces two globals that the SDK reads: `crypto`, for UUIDs, and `ReadableStream`, to check the type of a body. Reading these globals
 * makes Node load all of Web Crypto and web streams.
 */
export const NO_WEB_GLOBALS = {
  define: { crypto: 'cryptoOfBundle', ReadableStream: 'undefined' },
  banner: "const cryptoOfBundle = { randomUUID: () => process.getBuiltinModule('node:crypto').randomUUID() };",
};

/** Each client imports its entire package.json just to read the version. This plugin includes only the version. */
export const versionsOnly: Plugin = {
  name: 'versions only',
  setup(build) {
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/]client-[a-z-]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version }: { version: string } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** Lambda passes all settings in the environment, so this plugin removes the code that reads profile files and instance metadata. */
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

/**
 * Removes the SDK's logging. No logger is configured, but the SDK copies every call's input and output even for the no-op default logger.
 */
export const noLogs: Plugin = {
  name: 'no logs',
  setup(build) {
    build.onLoad({ filter: /[\\/]middleware-logger[\\/]loggerMiddleware\.js$/ }, () => ({
      contents:
        'export const loggerMiddleware = undefined, loggerMiddlewareOptions = undefined; export const getLoggerPlugin = () => ({ applyToStack: () => {} });',
    }));
  },
};

/** Replacements for exports that load more of Node when read. The functions never send files, and their UUIDs come from randomUUID. */
const EXPENSIVE: Readonly<Record<string, string>> = {
  'node:fs ReadStream': 'class {}',
  'node:crypto getRandomValues': '(bytes) => all.getRandomValues(bytes)',
  'node:http CloseEvent': 'undefined',
  'node:http MessageEvent': 'undefined',
  'node:http WebSocket': 'undefined',
};

/** Exports of node:process that exist only in a child process, such as one that a test runner starts. */
const OF_CHILD_PROCESSES: readonly string[] = ['channel', 'connected', 'disconnect', 'emit', 'send'];

/** Excludes exports that depend on how this process was started. Otherwise, the same source could produce different bundles. */
const isStable = (path: string, name: string): boolean =>
  name !== 'default' && (path !== 'node:process' || !(name.startsWith('_') || OF_CHILD_PROCESSES.includes(name)));

/**
 * An ES import of a built-in module reads every export, and reading some exports loads more code. For example, some exports of
 * node:http load Node's own fetch. This plugin reads only the exports that are used.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy built-ins',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(node:)?(${builtinModules.join('|')})$`) }, ({ path }) => ({
      path: path.replace(/^(node:)?/, 'node:'),
      namespace: 'built-in',
    }));
    build.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter((name) => isStable(path, name));
      const load = `process.getBuiltinModule('${path}')`;
      const read = (name: string): string => EXPENSIVE[`${path} ${name}`] ?? `/* @__PURE__ */ (() => all.${name})()`;
      const exported = names.map((name) => `export const ${name} = ${read(name)};`);
      return { contents: [`const all = ${load}; export default all;`, ...exported].join('\n') };
    });
  },
};
