/**
 * A program that uses the library as it is configured by its environment: `node test/proofs/stampede-program.ts <array> <calls>` asks
 * for that many sessions at once, then closes those that it got. Tells the result as JSON.
 */

import { createPorts } from '../../lib/compose.ts';
import { readConfig } from '../../lib/core/config.ts';
import { known } from '../../lib/core/errors.ts';
import { closeSession } from '../../lib/leases/close.ts';
import { openSession } from '../../lib/leases/open.ts';
import { parseLoginRequest } from '../../lib/leases/requests.ts';

/** `refused` and `notClosed`: the codes of errors. */
export type Told = {
  readonly opened: number;
  readonly refused: readonly string[];
  readonly notClosed: readonly string[];
};

const TIMEOUT_MS = 30_000;
const [array = '', calls = '1'] = process.argv.slice(2);
const ports = createPorts(readConfig(process.env), () => {});
const deadline = (): number => Date.now() + TIMEOUT_MS;
const codesOf = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.flatMap((result) => (result.status === 'rejected' ? [known(result.reason).code] : []));

const opening = await Promise.allSettled(
  Array.from({ length: Number(calls) }, (_, call) =>
    openSession(ports, parseLoginRequest({ array, leaseId: `job-${call}` }, ''), deadline()),
  ),
);
const leases = opening.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
const closing = await Promise.allSettled(leases.map(({ leaseId }) => closeSession(ports, leaseId, deadline())));
const told: Told = { opened: leases.length, refused: codesOf(opening), notClosed: codesOf(closing) };
process.stdout.write(JSON.stringify(told));
