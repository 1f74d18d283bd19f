/**
 * A program that uses the library as its environment configures it: `node test/proofs/stampede-program.ts <array> <calls>` requests
 * that many sessions at once, then closes those that it got. Prints the result as JSON.
 */

import { createPorts } from '../../lib/compose.ts';
import { readConfig } from '../../lib/core/config.ts';
import { known } from '../../lib/core/errors.ts';
import { closeSession } from '../../lib/leases/close.ts';
import { openSession } from '../../lib/leases/open.ts';
import { parseLoginRequest } from '../../lib/leases/requests.ts';

/** `refused` and `notClosed` hold error codes. */
export type ProgramResult = {
  readonly opened: number;
  readonly refused: readonly string[];
  readonly notClosed: readonly string[];
};

const TIMEOUT_MS = 30_000;
const [array = '', calls = '1'] = process.argv.slice(2);
const ports = createPorts(readConfig(process.env), () => {});
const deadline = (): number => Date.now() + TIMEOUT_MS;
const codesOf = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.flatMap((settled) => (settled.status === 'rejected' ? [known(settled.reason).code] : []));

const opening = await Promise.allSettled(
  Array.from({ length: Number(calls) }, (_, call) =>
    openSession(ports, parseLoginRequest({ array, leaseId: `job-${call}` }, ''), deadline()),
  ),
);
const leases = opening.flatMap((settled) => (settled.status === 'fulfilled' ? [settled.value] : []));
const closing = await Promise.allSettled(leases.map(({ leaseId }) => closeSession(ports, leaseId, deadline())));
const result: ProgramResult = { opened: leases.length, refused: codesOf(opening), notClosed: codesOf(closing) };
process.stdout.write(JSON.stringify(result));
