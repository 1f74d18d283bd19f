/** From an action's name to a checked input to its answer, for the services that are written here. */
import type { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { jsonAnswer, type ServiceDefinition } from './server.ts';

/** Gets the parsed JSON of a request; what it returns is the JSON of the answer. */
export type Operation = (body: unknown) => object;

/** Declares operations whose faulty inputs are refused with the exception `refusal`. */
export const operationsRefusing =
  (refusal: string) =>
  <Schema extends z.ZodType>(schema: Schema, act: (input: z.output<Schema>) => object): Operation =>
  (body) => {
    const input = schema.safeParse(body);
    // Where and what, never the value: it may be a secret.
    if (!input.success)
      throw new AwsError(refusal, input.error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`).join('; '));
    return act(input.data);
  };

/** A service made of operations; an action without one is refused, loudly. */
export const serviceOf = (
  { service, target }: Pick<ServiceDefinition, 'service' | 'target'>,
  operations: Readonly<Record<string, Operation>>,
): ServiceDefinition => ({
  service,
  target,
  act: async ({ action, body }) => {
    const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
    if (!operation) throw new AwsError('UnknownOperationException', `The stand-in does not know ${service}:${action}.`);
    return jsonAnswer(200, operation(body));
  },
});
