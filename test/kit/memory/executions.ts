/** In-memory Step Functions. Every owner that begins with the prefix is an execution, and is running until it ends. */
import type { Executions } from '../../../lib/leases/ports.ts';

export function memoryExecutions(prefix: string) {
  const statuses = new Map<string, string>();
  const port: Executions = {
    isExecution: (owner) => owner.startsWith(prefix),
    status: async (executionArn) => statuses.get(executionArn) ?? 'RUNNING',
  };
  return {
    port,
    /** Ends an execution without an event, or changes its status in another way. */
    end: (executionArn: string, status = 'SUCCEEDED'): void => void statuses.set(executionArn, status),
  };
}
