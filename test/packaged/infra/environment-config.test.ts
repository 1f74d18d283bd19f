/**
 * The functions read SDK settings with a replacement of the SDK's loader. It must return what the SDK's own loader returns
 * without a configuration file.
 */
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../../scripts/build/environment-config.ts';
import { ROOT } from '../../../scripts/build.ts';

type Setting = Parameters<typeof loadConfig>[0];
type Loaded = Readonly<Record<string, unknown>>;

const sdk = (name: string): Loaded => createRequire(`${ROOT}/node_modules/@aws-sdk/client-dynamodb/package.json`)(name);

const settings = Object.entries(
  Object.assign(
    {},
    ...['@smithy/core/config', '@smithy/core/retry', '@aws-sdk/core/client', '@aws-sdk/core/httpAuthSchemes'].map(sdk),
    ...['@aws-sdk/core/account-id-endpoint', '@aws-sdk/middleware-endpoint-discovery'].map(sdk),
  ) as Loaded,
)
  .filter((entry): entry is [string, Setting] => 'environmentVariableSelector' in Object(entry[1]))
  // Without a region in the environment, the SDK requests it from instance metadata, over the network.
  .map(([name, setting]): [string, Setting] => [
    name,
    name.includes('REGION') ? { ...setting, default: 'none' } : setting,
  ]);

const SAID: readonly Readonly<Record<string, string>>[] = [
  {},
  { AWS_REGION: 'eu-west-1', AWS_RETRY_MODE: 'adaptive', AWS_MAX_ATTEMPTS: '7', AWS_SDK_UA_APP_ID: 'ours' },
  { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_ACCOUNT_ID_ENDPOINT_MODE: 'disabled' },
  { AWS_USE_FIPS_ENDPOINT: 'false', AWS_USE_DUALSTACK_ENDPOINT: 'false', AWS_ENABLE_ENDPOINT_DISCOVERY: 'true' },
  { AWS_USE_FIPS_ENDPOINT: 'perhaps', AWS_MAX_ATTEMPTS: 'many', AWS_ACCOUNT_ID_ENDPOINT_MODE: 'sometimes' },
  { AWS_REGION: '', AWS_RETRY_MODE: '', AWS_MAX_ATTEMPTS: '', AWS_USE_FIPS_ENDPOINT: '' },
  { AWS_AUTH_SCHEME_PREFERENCE: 'sigv4a, sigv4', AWS_SIGV4A_SIGNING_REGION_SET: 'eu-west-1, us-east-1' },
  { AWS_BEARER_TOKEN_BEDROCK: 'there' },
];

beforeEach(() => {
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
  vi.stubEnv('AWS_REGION', undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

const outcome = async (load: () => Promise<unknown>) => {
  const [settled] = await Promise.allSettled([load()]);
  return settled?.status === 'fulfilled' ? { value: settled.value } : { error: String(settled?.reason) };
};

describe('the loader of SDK settings', () => {
  const theirs = sdk('@smithy/core/config')['loadConfig'] as typeof loadConfig;

  test('is tested with every setting that the SDK exports', () => {
    expect(
      settings
        .map(([name]) => name)
        .filter((name) => name.startsWith('NODE_'))
        .sort(),
    ).toEqual([
      'NODE_ACCOUNT_ID_ENDPOINT_MODE_CONFIG_OPTIONS',
      'NODE_APP_ID_CONFIG_OPTIONS',
      'NODE_AUTH_SCHEME_PREFERENCE_OPTIONS',
      'NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS',
      'NODE_MAX_ATTEMPT_CONFIG_OPTIONS',
      'NODE_REGION_CONFIG_OPTIONS',
      'NODE_RETRY_MODE_CONFIG_OPTIONS',
      'NODE_SIGV4A_CONFIG_OPTIONS',
      'NODE_USE_DUALSTACK_ENDPOINT_CONFIG_OPTIONS',
      'NODE_USE_FIPS_ENDPOINT_CONFIG_OPTIONS',
    ]);
  });

  test.for(SAID)('returns what the SDK returns for the environment %j', async (said) => {
    for (const [name, value] of Object.entries(said)) vi.stubEnv(name, value);
    for (const [name, setting] of settings) {
      for (const options of [{}, { signingName: 'bedrock' }]) {
        const expected = await outcome(theirs(setting, options));
        expect([name, await outcome(loadConfig(setting, options))]).toEqual([name, expected]);
      }
    }
  });

  test.for([
    ['a value', { default: 3 }],
    ['a promise of one', { default: async () => 4 }],
    ['nothing', { default: undefined }],
    ['an error', { default: () => Promise.reject(new Error('Region is missing')) }],
  ] satisfies [string, { default: unknown }][])(
    'returns what the SDK returns if the default is %s',
    async ([, made]) => {
      const setting = { environmentVariableSelector: () => undefined, configFileSelector: () => undefined, ...made };
      expect(await outcome(loadConfig(setting))).toEqual(await outcome(theirs(setting)));
    },
  );

  test('reads a setting once, and again only after a failure', async () => {
    let asked = 0;
    const load = loadConfig({
      environmentVariableSelector: (env) => env['AWS_REGION'],
      default: async () => {
        asked += 1;
        if (asked === 1) throw new Error('not yet');
        return 'eu-west-1';
      },
    });
    await expect(load()).rejects.toThrow('not yet');
    expect([await load(), await load(), asked]).toEqual(['eu-west-1', 'eu-west-1', 2]);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    expect(await load()).toBe('eu-west-1');
  });
});
