/** All functions of one version, each under AWS's runtime client in a process of its own. */
import { startLambda } from '../../kit/lambda/lambda.ts';
import { configurationOf } from '../../kit/packaged.ts';

const NAMES = ['login', 'logout', 'renew', 'call-array', 'session-events', 'sweep-sessions', 'check-fleet'] as const;
export type Name = (typeof NAMES)[number];

/** Where the code of a function is. `handler` replaces the template's. */
export type Code = (name: Name) => { readonly zip: string } | { readonly directory: string; readonly handler?: string };

export type Version = Awaited<ReturnType<typeof startVersion>>;

/** The variables are those of today's template: while a stack is updated, the previous code may already run with them. */
export async function startVersion(
  codeOf: Code,
  physical: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
) {
  const start = (functionName: Name) => {
    const { handler, timeoutMs, variables } = configurationOf(functionName, physical);
    return startLambda({ functionName, handler, timeoutMs, env: { ...variables, ...env }, ...codeOf(functionName) });
  };
  const started = await Promise.all(NAMES.map(async (name) => [name, await start(name)] as const));
  const lambdas = new Map(started);
  const lambdaOf = (name: Name) => {
    const lambda = lambdas.get(name);
    if (lambda === undefined) throw new Error(`There is no function ${name}`);
    return lambda;
  };

  return {
    /** Returns the function's result. Throws an error whose name is the error code; `KILLED` if its process was killed. */
    async invoke(name: Name, event: unknown): Promise<Readonly<Record<string, unknown>>> {
      const outcome = await lambdaOf(name).invoke(event);
      if ('result' in outcome) return outcome.result as Readonly<Record<string, unknown>>;
      if ('killed' in outcome) throw Object.assign(new Error(name), { name: 'KILLED' });
      throw Object.assign(new Error(outcome.error.errorMessage), { name: outcome.error.errorType });
    },
    kill: (name: Name): Promise<void> => lambdaOf(name).kill(),
    /** Everything that the functions have written. */
    output: (): string => started.map(([, { output }]) => output).join(''),
    stop: () => Promise.all(started.map(([, lambda]) => lambda.stop())),
  };
}
