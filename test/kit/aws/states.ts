/** A stand-in for AWS Step Functions. Tests say which executions exist, and their statuses. */
import { z } from 'zod';
import { operationsRefusing, serviceOf } from './operations.ts';
import { AwsError } from './server.ts';

/** Supports DescribeExecution, for metadata only. `arnPrefix`: `arn:aws:states:<region>:<account>:execution:`. */
export function statesStandIn(arnPrefix: string) {
  const statuses = new Map<string, string>();

  const describeExecution = operationsRefusing('ValidationException')(
    z.strictObject({ executionArn: z.string().min(1).max(256), includedData: z.literal('METADATA_ONLY') }),
    ({ executionArn }) => {
      if (!executionArn.startsWith(arnPrefix)) throw new AwsError('InvalidArn', 'The ARN is not that of an execution.');
      const status = statuses.get(executionArn);
      if (status === undefined) throw new AwsError('ExecutionDoesNotExist', 'The execution does not exist.');
      const stateMachineArn = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]*$/, '');
      return { executionArn, stateMachineArn, status, startDate: 1_795_500_000.123 };
    },
  );

  return {
    definition: serviceOf({ service: 'states', target: 'AWSStepFunctions' }, { DescribeExecution: describeExecution }),
    /** Starts an execution, or changes its status. Publishes no event. */
    setStatus: (executionArn: string, status: string): void => void statuses.set(executionArn, status),
  };
}
