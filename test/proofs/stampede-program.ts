/** The stampede's program: it uses the library as its environment configures it. */
import { createPorts } from '../../lib/compose.ts';
import { readConfig } from '../../lib/core/config.ts';
import { known } from '../../lib/core/errors.ts';
import { closeSession } from '../../lib/leases/close.ts';
import { openSession } from '../../lib/leases/open.ts';
import { parseLoginRequest } from '../../lib/leases/requests.ts';

const TIMEOUT_MS = 30_000;
const deadline = (): number => Date.now() + TIMEOUT_MS;
const codesOf = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.flatMap((settled) => (settled.status === 'rejected' ? [known(settled.reason).code] : []));

/** Requests that many sessions of an array at once, then closes those that it got. `refused` and `notClosed` hold error codes. */
export async function openAtOnce(array: string, calls: number) {
  const ports = createPorts(readConfig(process.env), () => {});
  const requests = Array.from({ length: calls }, (_, n) => parseLoginRequest({ array, leaseId: `job-${n}` }, ''));
  const opening = await Promise.allSettled(requests.map((request) => openSession(ports, request, deadline())));
  const leases = opening.flatMap((settled) => (settled.status === 'fulfilled' ? [settled.value] : []));
  const closing = await Promise.allSettled(leases.map(({ leaseId }) => closeSession(ports, leaseId, deadline())));
  return { opened: leases.length, refused: codesOf(opening), notClosed: codesOf(closing) };
}
