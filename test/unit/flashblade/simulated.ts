/** A simulated array that stops with the test, and its description for the client. */
import { onTestFinished } from 'vitest';
import { type ApiToken, apiToken, type FlashBlade } from '../../../lib/core/model.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../simulator/index.ts';
import { authority, certificate } from './servers.ts';

export type Simulated = { readonly simulator: Simulator; readonly array: FlashBlade; readonly token: ApiToken };

export async function simulated(options: SimulatorOptions = {}): Promise<Simulated> {
  const simulator = await startSimulator({ certificate: { ...certificate, ca: authority.certificate }, ...options });
  onTestFinished(async () => {
    closeConnections();
    await simulator.stop();
  });
  const { host, port, certificate: ca } = simulator;
  return {
    simulator,
    array: { name: 'fb1', host, port, trust: { kind: 'ca', ca } },
    token: apiToken(simulator.apiToken),
  };
}
