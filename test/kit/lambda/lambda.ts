/** Runs a packaged function as Lambda does, with AWS's runtime client and the unpacked zip in a separate process. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { unzip } from '../../../scripts/zip.ts';
import { type Environment, type Outcome, startEnvironment } from './environment.ts';

export type { Outcome };

export type LambdaOptions = ({ readonly zip: string } | { readonly directory: string }) & {
  /** As in serverless.yml: `dist/functions/login.handler`. */
  readonly handler: string;
  /** The function's variables, including credentials. The process gets only these and the variables that Lambda sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** The function's name. Default: `function`. */
  readonly functionName?: string;
  /** The function's timeout. Default: 30,000. */
  readonly timeoutMs?: number;
  /** How far the function's clock is ahead of the machine's. A process with a different clock is replaced. Default: 0. */
  readonly aheadMs?: () => number;
};

export type InvokeOptions = { readonly awsRequestId?: string; readonly timeoutMs?: number };

export type Lambda = Awaited<ReturnType<typeof startLambda>>;

export const startLambda = async (options: LambdaOptions) => {
  const unpacked = 'zip' in options ? await mkdtemp(join(tmpdir(), 'flashblade-lambda-')) : undefined;
  if ('zip' in options && unpacked !== undefined) await unzip(options.zip, unpacked);
  const directory = resolve(unpacked ?? ('directory' in options ? options.directory : ''));
  const { functionName = 'function', timeoutMs = 30_000, aheadMs = () => 0 } = options;
  const env = { ...lambdaVariables(functionName, options.handler, directory), ...options.env };
  const functionArn = `arn:aws:lambda:${env.AWS_REGION}:123456789012:function:${functionName}`;

  let output = '';
  let environment: Environment | undefined;
  let busy = false;
  const onOutput = (text: string): void => {
    output += text;
  };
  const warmEnvironment = async (): Promise<Environment> => {
    if (environment?.aheadMs !== aheadMs()) await environment?.kill('SIGKILL');
    if (environment === undefined || environment.hasEnded()) {
      environment = await startEnvironment({ directory, env, onOutput, aheadMs: aheadMs() });
    }
    return environment;
  };

  return {
    /**
     * Runs one invocation, and refuses a second one in the meantime. If the process was killed, timed out or crashed earlier, a new
     * process replaces it, as in a Lambda cold start.
     */
    invoke: async (event: unknown, invocation: InvokeOptions = {}): Promise<Outcome> => {
      const { awsRequestId = randomUUID(), timeoutMs: ms = timeoutMs } = invocation;
      if (busy) throw new Error('The function is busy, because one environment runs one invocation at a time');
      busy = true;
      try {
        return await (await warmEnvironment()).invoke({ event, awsRequestId, functionArn, timeoutMs: ms });
      } finally {
        busy = false;
      }
    },
    /** The current process id, or undefined before the first invocation. */
    get pid(): number | undefined {
      return environment?.pid;
    },
    /** CPU time of the current process up to its last Runtime API call, in ms. Includes threads that have ended. */
    get cpuMs(): number | undefined {
      return environment?.cpuMs();
    },
    /** Everything that the function's processes have written to stdout and stderr. */
    get output(): string {
      return output;
    },
    /** Sends a signal to the current process. Resolves when the process has ended. */
    kill: async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => environment?.kill(signal),
    /** Ends the process and removes the unpacked files. You can call `stop` repeatedly. */
    stop: async (): Promise<void> => {
      await environment?.kill('SIGKILL');
      if (unpacked !== undefined) await rm(unpacked, { recursive: true, force: true });
    },
  };
};

/** The variables that Lambda sets for a function that logs JSON. */
const lambdaVariables = (functionName: string, handler: string, directory: string) => ({
  _HANDLER: handler,
  LAMBDA_TASK_ROOT: directory,
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  AWS_LAMBDA_FUNCTION_NAME: functionName,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
  AWS_LAMBDA_LOG_FORMAT: 'JSON',
  AWS_LAMBDA_LOG_LEVEL: 'INFO',
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
  AWS_LAMBDA_LOG_STREAM_NAME: '2000/01/01/[$LATEST]00000000000000000000000000000000',
  LANG: 'en_US.UTF-8',
  TZ: ':UTC',
});
