/** The committed pact, verified by Pact's own verifier as another team would: over TLS, with the documented states. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { PACT_FILE } from '../../../contracts/pact-file.ts';
import { simulatorTarget } from '../../../contracts/targets/simulator.ts';
import { startStateServer } from '../../../contracts/verification/state-server.ts';
import { badAnswers } from '../../../simulator/index.ts';
import { runPactVerifier } from './pact-verifier.ts';
import { simulated } from './providers.ts';

async function verified(
  more: object = {},
  prepare: (simulator: Awaited<ReturnType<typeof simulated>>) => void = () => {},
) {
  const simulator = await simulated();
  prepare(simulator);
  const target = simulatorTarget(simulator);
  const states = await startStateServer(target, () => {});
  const ca = join(tmpdir(), `flashblade-any-verifier-${simulator.port}.pem`);
  writeFileSync(ca, simulator.certificate);
  onTestFinished(() => rmSync(ca, { force: true }));
  const code = await runPactVerifier(
    {
      ...{ pactUrls: [PACT_FILE], providerBaseUrl: `https://localhost:${simulator.port}`, failIfNoPactsFound: true },
      ...{ providerStatesSetupUrl: states.url, providerStatesSetupTeardown: true, ...more },
    },
    { SSL_CERT_FILE: ca },
  );
  await states.stop();
  await target.reset();
  await target.sessions.closeAll();
  return code;
}

it('passes with any Pact verifier', async () => {
  expect(await verified()).toBe(0);
});

it('fails with any Pact verifier if the provider breaks it, or is not trusted', async () => {
  expect(await verified({}, ({ faults }) => void faults.add(badAnswers.htmlAnswer(200)))).toBe(1);
  expect(await verified({ providerBaseUrl: 'https://127.0.0.1:1' })).toBe(1);
});
