/** What of the AWS SDK never runs in these functions stays out of their bundles: import time grows with every KiB. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Plugin } from 'esbuild';

const here = (file: string): string => resolve(import.meta.dirname, file);

export const LEAN_SDK_ALIASES = {
  '@aws-sdk/credential-provider-node': here('lambda-credentials.ts'),
  '@aws-sdk/middleware-endpoint-discovery': here('no-endpoint-discovery.ts'),
  '@smithy/core/event-streams': here('no-event-streams.ts'),
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
