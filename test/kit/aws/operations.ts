/** Operations of the services that we implement: an action's name, the check of its input, and its response. */
import type { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { jsonAnswer, type ServiceDefinition } from './server.ts';

/** Takes the parsed JSON of a request and returns the JSON of the response. */
type Operation = (body: unknown) => object;

/** Declares operations. An invalid input is refused with the exception `refusal`. */
export const operationsRefusing =
  (refusal: string) =>
  <Schema extends z.ZodType>(schema: Schema, act: (input: z.output<Schema>) => object): Operation =>
  (body) => {
    const input = schema.safeParse(body);
    // The field and the rule, but never the value, which may be a secret.
    if (!input.success)
      throw new AwsError(refusal, input.error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`).join('; '));
    return act(input.data);
  };

/** A service made of operations. It refuses every other action with an error that says so. */
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
