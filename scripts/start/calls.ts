/** Counts the calls that the functions and this process make to AWS and to the arrays. */
import { setImmediate } from 'node:timers/promises';
import type { Service } from '../../test/kit/aws/index.ts';
import type { Deployment } from '../../test/kit/deploy.ts';
import type { Counts } from './screen.ts';

/** A function logs one line for each login and logout, including failed ones. */
const REPORTED_CALL = /"event":"(Login|Logout)(Succeeded|Failed)"/g;
const SERVICES: readonly Service[] = ['secretsmanager', 'dynamodb', 'kms', 'events', 'sqs'];

export type Calls = ReturnType<typeof countCalls>;

/** A simulated array counts the requests it receives. Calls to a real array are counted on the client side. */
export function countCalls({ aws, lambdaOf, simulators }: Deployment, arrays: 'simulated' | 'real') {
  let own = 0;

  /** Wraps a function so that each call is counted as a call to the array. */
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
    // The end of a function's log may still be in the pipe. It arrives within one turn of the event loop.
    await setImmediate();
    return { aws: aws.calls.length, array: arrays === 'simulated' ? received() : made() };
  }

  /** Returns one string for each service that was called, such as `kms 4`. */
  const byService = (): string[] =>
    SERVICES.map((name) => [name, aws.calls.filter(({ service }) => service === name).length] as const)
      .filter(([, calls]) => calls > 0)
      .map(([name, calls]) => `${name} ${calls}`);

  return { counted, counts, byService };
}
