/** How often AWS and the array were called: by the functions, and by this process. */
import { setImmediate } from 'node:timers/promises';
import type { Aws, Service } from '../../test/aws/index.ts';
import type { Lambda } from '../../test/lambda/lambda.ts';
import type { Counts } from './screen.ts';

/** Each login and logout of a function is one line of its log, whether it succeeded or not. */
const REPORTED_CALL = /"event":"(Login|Logout)(Succeeded|Failed)"/g;

export type Calls = ReturnType<typeof countCalls>;

export function countCalls(aws: Aws, lambdas: readonly Lambda[]) {
  let own = 0;

  /** The same function; its calls count as calls of the array. */
  const counted =
    <Inputs extends unknown[], Output>(call: (...inputs: Inputs) => Output) =>
    (...inputs: Inputs): Output => {
      own += 1;
      return call(...inputs);
    };

  async function counts(): Promise<Counts> {
    // What a function wrote before it answered is in the pipe; a turn of the event loop reads it.
    await setImmediate();
    const reported = lambdas.map(({ output }) => output.match(REPORTED_CALL)?.length ?? 0);
    return { aws: aws.calls.length, array: reported.reduce((sum, calls) => sum + calls, own) };
  }

  const ofService = (service: Service): number => aws.calls.filter((call) => call.service === service).length;

  return { counted, counts, ofService };
}
