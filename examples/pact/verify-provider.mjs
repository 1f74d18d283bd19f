/** Verifies your own provider with Pact JS: node verify-provider.mjs <provider's URL> <URL that sets up states> */
import { Verifier } from '@pact-foundation/pact';

const [providerBaseUrl, providerStatesSetupUrl] = process.argv.slice(2);

await new Verifier({
  provider: 'flashblade',
  providerBaseUrl,
  pactUrls: ['contracts/pacts/flashblade-sessions-flashblade.json'],
  providerStatesSetupUrl,
  providerStatesSetupTeardown: true,
}).verifyProvider();
