/**
 * Runs Pact's verifier for the parent process. It needs its own process because the native library prints everything that it
 * sees, including live tokens, to the standard output, and because a verification can be ended only with its process.
 */
import { Verifier } from '@pact-foundation/pact-core';

export type Job = {
  readonly pactFile: string;
  readonly provider: string;
  readonly providerUrl: string;
  readonly stateUrl: string;
};
/** `json`: the verifier's report of the run; absent if there is none. */
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
      // A failed verification is an error whose message is the same JSON.
      (error: unknown) => send(error instanceof Error ? { json: error.message } : {}),
    );
});
process.on('disconnect', () => process.exit());
