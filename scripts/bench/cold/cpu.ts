/** CPU time of another process, from outside: what runs in it is not interrupted. */
import { readdirSync, readFileSync } from 'node:fs';

const NS_PER_MS = 1e6;

/**
 * Milliseconds, user and system, that the threads that a process has now have run so far; exact to the nanosecond for those that
 * wait, unlike what counts in ticks of 10 ms. The time of threads that ended is not in it. Throws if there is no such process, and
 * where the system does not tell: Linux does.
 */
export function cpuMsOf(pid: number): number {
  const threads = `/proc/${pid}/task`;
  return readdirSync(threads)
    .map((id) => Number(readFileSync(`${threads}/${id}/schedstat`, 'latin1').split(' ')[0]) / NS_PER_MS)
    .reduce((sum, ms) => sum + ms, 0);
}
