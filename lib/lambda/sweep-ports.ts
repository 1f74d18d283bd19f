/** Creates the sweeper's ports. Only the sweeper asks Step Functions, so only its bundle contains that client. */
import { SFNClient } from '@aws-sdk/client-sfn';
import { AWS_CLIENT_OPTIONS } from '../aws/client.ts';
import { createExecutions } from '../aws/executions.ts';
import { readSweepConfig } from '../core/config.ts';
import type { ClosingPorts } from '../leases/ports.ts';
import { functionClosingPorts } from './invocation.ts';

/** Creates the ports for the sweeper. Call this once, at cold start. Throws CONFIG_INVALID. */
export function functionSweepPorts(): ClosingPorts {
  const ports = functionClosingPorts();
  const { STATE_MACHINE_ARN_PREFIX: prefix } = readSweepConfig(process.env);
  if (prefix === '') return ports;
  // One retry, because a later sweep asks again, and this one should not wait for a busy Step Functions.
  const client = new SFNClient({ ...AWS_CLIENT_OPTIONS, maxAttempts: 2 });
  return { ...ports, executions: createExecutions(client, prefix) };
}
