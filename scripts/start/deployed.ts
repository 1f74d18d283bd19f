/** A packaged function as Lambda runs it, with handler, variables and time-out as the packaged template has them. */
import { resolve } from 'node:path';
import { type Lambda, startLambda } from '../../test/kit/lambda/lambda.ts';
import { at, type Json, resourcesOf, type Template, target } from '../../test/packaged/infra/template.ts';
import { clockAhead } from './clock.ts';
import { DEAF_TO_TERMINAL } from './interruption.ts';

export type Deployed = {
  readonly lambda: Lambda;
  readonly variables: Readonly<Record<string, string>>;
  /** Throws what the function throws, named by its code, or an error named by the signal that ended its process. */
  invoke(event: object): Promise<unknown>;
};

export type Deployment = {
  /** Directory of the zips. */
  readonly packaged: string;
  readonly template: Template;
  /** Names and ARNs of what the template's variables refer to, by logical id. */
  readonly physical: Readonly<Record<string, string>>;
  /** Variables that every function gets besides. */
  readonly env: Readonly<Record<string, string>>;
};

/** Lambda gives a process so long to start. */
const START_MS = 10_000;

/** `aheadMs`: how far the function's clock is ahead of the machine's. */
export async function startFunction(deployment: Deployment, name: string, aheadMs = 0): Promise<Deployed> {
  const { packaged, template, physical, env } = deployment;
  const { timeoutMs, variables, ...names } = functionOf(template, name, physical);
  const options = [DEAF_TO_TERMINAL, ...(aheadMs === 0 ? [] : [clockAhead(aheadMs)])].join(' ');
  const lambda = await startLambda({
    ...names,
    zip: resolve(packaged, `${name}.zip`),
    env: { ...variables, ...env, NODE_OPTIONS: options },
  });

  async function invoke(event: object): Promise<unknown> {
    // A deadline is told by the machine's clock and read by the function's. So the time-out itself is kept here.
    const timer = setTimeout(() => void lambda.kill(), START_MS + timeoutMs);
    try {
      return resultOf(await lambda.invoke(event, { timeoutMs: timeoutMs + aheadMs }));
    } finally {
      clearTimeout(timer);
    }
  }

  return { lambda, variables, invoke };
}

function resultOf(outcome: Awaited<ReturnType<Lambda['invoke']>>): unknown {
  if ('result' in outcome) return outcome.result;
  if ('killed' in outcome) throw Object.assign(new Error("the function's process was ended"), { name: outcome.killed });
  const { errorType, errorMessage } = outcome.error;
  throw Object.assign(new Error(errorMessage), { name: errorType });
}

function functionOf(template: Template, name: string, physical: Deployment['physical']) {
  const handler = `dist/functions/${name}.handler`;
  const resources = resourcesOf(template, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties);
  const properties = resources.find(({ Handler }) => Handler === handler);
  if (properties === undefined) throw new Error(`the packaged template has no function ${name}`);
  const variables = Object.entries((at(properties, 'Environment', 'Variables') ?? {}) as Record<string, Json>);
  return {
    functionName: String(properties['FunctionName']),
    handler,
    timeoutMs: Number(properties['Timeout']) * 1000,
    variables: Object.fromEntries(variables.map(([key, value]) => [key, textOf(key, value, physical)])),
  };
}

function textOf(key: string, value: Json, physical: Deployment['physical']): string {
  const text = typeof value === 'string' ? value : physical[target(value)];
  if (text === undefined) throw new Error(`variable ${key} of the packaged template refers to what is not here`);
  return text;
}
