/** Asks Step Functions for the status of an execution. */
import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { Executions } from '../leases/ports.ts';
import { awsErrorName } from './aws-error.ts';
import { callAws } from './client.ts';

/** The longest ARN that Step Functions accepts. */
const MAX_ARN = 256;
/** The sweeper learns nothing from these. Other calls in the account may have used up the quota, and an owner can be any text. */
const NO_STATUS = ['ThrottlingException', 'ExecutionDoesNotExist', 'InvalidArn', 'ValidationException'];

/** Creates the port. Only executions of state machines whose ARN begins with `stateMachineArnPrefix` are asked about. */
export function createExecutions(client: SFNClient, stateMachineArnPrefix: string): Executions {
  const prefix = stateMachineArnPrefix.replace(':stateMachine:', ':execution:');
  return {
    isExecution: (owner) => owner.startsWith(prefix) && owner.length <= MAX_ARN,
    async status(executionArn, by) {
      // Metadata needs no permission to decrypt, and does not contain the execution's input.
      const command = new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' });
      const about = { what: 'ask Step Functions whether an execution has ended', by, passed: NO_STATUS };
      try {
        const { status } = await callAws((options) => client.send(command, options), {
          ...about,
          setting: 'STATE_MACHINE_ARN_PREFIX',
        });
        return status;
      } catch (error) {
        if (NO_STATUS.includes(awsErrorName(error))) return undefined;
        throw error;
      }
    },
  };
}
