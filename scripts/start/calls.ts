/** Counts the calls of AWS and of the arrays, by the functions and by this process. */
import { setImmediate } from 'node:timers/promises';
import type { Service } from '../../test/kit/aws/index.ts';
import type { Deployment } from '../../test/kit/deploy.ts';
import type { Counts } from './screen.ts';

/** Each login and logout of a function writes one line to its log, even if it fails. */
const REPORTED_CALL = /"event":"(Login|Logout)(Succeeded|Failed)"/g;
const SERVICES: readonly Service[] = ['secretsmanager', 'dynamodb', 'kms', 'events', 'sqs'];

export type Calls = ReturnType<typeof countCalls>;

/** A simulated array counts the requests that it received. For a real array, this side counts the calls. */
export function countCalls({ aws, lambdaOf, simulators }: Deployment, arrays: 'simulated' | 'real') {
  let own = 0;

  /** Returns the same function. Its calls count as calls of the array. */
  const counted =
    <Inputs extends unknown[], Output>(call: (...inputs: Inputs) => Output) =>
    (...inputs: Inputs): Output => {
      own += 1;
      return call(...inputs);
    };

  const received = (): number => simulators.reduce((sum, { requests }) => sum + requests.length, 0);

  function made(): number {
    const reported = (['login', 'logout'] as const).map((name) => lambdaOf(name).output.match(REPORTED_CALL));
    return reported.reduce((sum, calls) => sum + (calls?.length ?? 0), own);
  }

  async function counts(): Promise<Counts> {
    // The log of a function may still be in the pipe. One turn of the event loop reads it.
    await setImmediate();
    return { aws: aws.calls.length, array: arrays === 'simulated' ? received() : made() };
  }

  /** One text for each service that was called, such as `kms 4`. */
  const byService = (): string[] =>
    SERVICES.map((name) => [name, aws.calls.filter(({ service }) => service === name).length] as const)
      .filter(([, calls]) => calls > 0)
      .map(([name, calls]) => `${name} ${calls}`);

  return { counted, counts, byService };
}
