/** Asks Step Functions for the status of an execution. */
import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { BUSY } from '../leases/items.ts';
import type { Executions } from '../leases/ports.ts';
import { awsErrorName } from './aws-error.ts';
import { callAws } from './client.ts';

/** The longest ARN that Step Functions accepts. */
const MAX_ARN = 256;
/** An owner can be any string. */
const NO_EXECUTION = ['ExecutionDoesNotExist', 'InvalidArn', 'ValidationException'];
/** Other calls in the account may have used up the quota. */
const THROTTLED = 'ThrottlingException';

/** Creates the port. It looks up only executions of state machines whose ARN begins with `stateMachineArnPrefix`. */
export function createExecutions(client: SFNClient, stateMachineArnPrefix: string): Executions {
  const prefix = stateMachineArnPrefix.replace(':stateMachine:', ':execution:');
  return {
    isExecution: (owner) => owner.startsWith(prefix) && owner.length <= MAX_ARN,
    async status(executionArn, by) {
      // With METADATA_ONLY, the call needs no permission to decrypt, and the response does not contain the execution's input.
      const command = new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' });
      const passed = [...NO_EXECUTION, THROTTLED];
      const about = { what: 'ask Step Functions whether an execution has ended', by, passed };
      try {
        const { status } = await callAws((options) => client.send(command, options), {
          ...about,
          setting: 'STATE_MACHINE_ARN_PREFIX',
        });
        return status;
      } catch (error) {
        const name = awsErrorName(error);
        if (NO_EXECUTION.includes(name)) return undefined;
        if (name === THROTTLED) return BUSY;
        throw error;
      }
    },
  };
}
