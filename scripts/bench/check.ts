/** Whether a client does what it is measured for. */
import { type PresentedCertificate, startSimulator } from '../../simulator/index.ts';
import type { Work, Worked } from './subjects/work.ts';

export const API_TOKEN = 'T-00000000-1111-2222-3333-444444444444';
const CYCLES = 3;

/** Lets a client work on the simulated array, which knows every session: each must have been opened, and ended by a logout. */
export async function checkClient(
  name: string,
  work: (work: Work) => Promise<Worked>,
  certificate: PresentedCertificate,
): Promise<void> {
  const simulator = await startSimulator({ certificate, users: [{ username: 'pureuser', apiToken: API_TOKEN }] });
  try {
    const { failures } = await work({ ports: [simulator.port], passes: CYCLES, concurrency: 1, keep: false });
    if (failures.length > 0) throw new Error(`${name} fails: ${failures[0]}`);
    const opened = simulator.history.length;
    const loggedOut = simulator.history.filter(({ ended }) => ended?.by === 'logout').length;
    if (opened !== CYCLES || loggedOut !== CYCLES) {
      throw new Error(`${name}: ${CYCLES} cycles, but ${opened} logins and ${loggedOut} logouts at the array`);
    }
  } finally {
    await simulator.stop();
  }
}
