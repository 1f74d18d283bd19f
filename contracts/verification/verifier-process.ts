/**
 * Runs Pact's verifier for the process that forked this one. A process of its own, because the native library prints what
 * it sees, live tokens among it, to the standard output, and because what it does can only be ended with its process.
 */
import { Verifier } from '@pact-foundation/pact-core';

export type Job = {
  readonly pactFile: string;
  readonly provider: string;
  readonly providerUrl: string;
  readonly stateUrl: string;
};
/** `json`: what the verifier tells of the run; absent if it did not get so far. */
export type Told = { readonly json?: string };

const send = (told: Told): void => void process.send?.(told);

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
      // A verification that fails is told by an error whose message is the same JSON.
      (error: unknown) => send(error instanceof Error ? { json: error.message } : {}),
    );
});
process.on('disconnect', () => process.exit());
