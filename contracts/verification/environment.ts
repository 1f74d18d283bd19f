/** Builds the environment for Pact's tools, limited to the variables that a process needs. */

const KEPT = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'CI', 'NO_COLOR', 'FORCE_COLOR', 'TERM'];

/**
 * Omits API tokens, proxy settings (a proxy would see tokens), and the variables that would make Pact skip interactions:
 * PACT_DESCRIPTION, PACT_PROVIDER_STATE and PACT_PROVIDER_NO_STATE. PACT_DO_NOT_TRACK must be `true` before Pact's library
 * is loaded.
 */
export const toolEnvironment = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...Object.fromEntries(KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  PACT_DO_NOT_TRACK: 'true',
  ...more,
});
