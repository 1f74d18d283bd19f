/** The environment of Pact's tools: only the variables that a process needs. */

const KEPT = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'CI', 'NO_COLOR', 'FORCE_COLOR', 'TERM'];

/**
 * It omits PACT_DESCRIPTION, PACT_PROVIDER_STATE and PACT_PROVIDER_NO_STATE, which would skip interactions, proxies, which
 * would see tokens, and API tokens. PACT_DO_NOT_TRACK must be `true` before the library is loaded.
 */
export const toolEnvironment = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...Object.fromEntries(KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  PACT_DO_NOT_TRACK: 'true',
  ...more,
});
