/**
 * Runs Pact's verifier for the parent process. The verifier needs its own process because its native library prints everything, including
 * live tokens, to standard output, and because the only way to stop a verification is to kill the process.
 */
import { Verifier } from '@pact-foundation/pact-core';

export type Job = {
  readonly pactFile: string;
  readonly provider: string;
  readonly providerUrl: string;
  readonly stateUrl: string;
};
/** `json` is the verifier's report. It is absent if the run produced none. */
export type Outcome = { readonly json?: string };

const send = (outcome: Outcome): void => void process.send?.(outcome);

process.on('message', ({ pactFile, provider, providerUrl, stateUrl }: Job) => {
  new Verifier({
    pactUrls: [pactFile],
    provider,
    providerBaseUrl: providerUrl,
    providerStatesSetupUrl: stateUrl,
    followRedirects: false,
    failIfNoPactsFound: true,
    logLevel: 'error',
  })
    .verify()
    .then(
      (json) => send({ json }),
      // If verification fails, the error message is the report as JSON.
      (error: unknown) => send(error instanceof Error ? { json: error.message } : {}),
    );
});
process.on('disconnect', () => process.exit());
