/** The public interface of the FlashBlade simulator. */
export * as badAnswers from './bad-answers.ts';
export type { Counters } from './connections.ts';
export type { RequestRecord } from './exchange.ts';
export type { Fault, FaultHandle } from './faults.ts';
export {
  DEFAULT_VERSIONS,
  type OnRequest,
  type PresentedCertificate,
  randomApiToken,
  type SimulatedUser,
  type SimulatorOptions,
  type Switches,
} from './options.ts';
export type { EndedBy, SimulatedSession } from './sessions.ts';
export { type Simulator, startSimulator } from './simulator.ts';
