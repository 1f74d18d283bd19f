/** Operations that the stand-ins implement: action name, input check and response. */
import type { z } from 'zod';
import { AwsError, jsonAnswer, type ServiceDefinition } from './server.ts';

/** Takes the parsed JSON of a request and returns the JSON of the response. */
type Operation = (body: unknown) => object;

/** Declares operations. Invalid input is refused with the exception `refusal`. */
export const operationsRefusing =
  (refusal: string) =>
  <Schema extends z.ZodType>(schema: Schema, act: (input: z.output<Schema>) => object): Operation =>
  (body) => {
    const input = schema.safeParse(body);
    // Reports the field and the rule, but never the value, which may be a secret.
    if (!input.success)
      throw new AwsError(refusal, input.error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`).join('; '));
    return act(input.data);
  };

/** Builds a service from operations. Every other action fails with UnknownOperationException. */
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
