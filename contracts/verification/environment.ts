/** The environment that Pact's tools get: nothing of ours but what a process needs. */

const KEPT = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'CI', 'NO_COLOR', 'FORCE_COLOR', 'TERM'];

/**
 * No PACT_DESCRIPTION, PACT_PROVIDER_STATE or PACT_PROVIDER_NO_STATE, which narrow what is verified; no proxy, to which
 * tokens would go; no API token. PACT_DO_NOT_TRACK must be there before the library is loaded, and only `true` counts.
 */
export const toolEnvironment = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...Object.fromEntries(KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  PACT_DO_NOT_TRACK: 'true',
  ...more,
});
