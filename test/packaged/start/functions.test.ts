import { expect, test } from 'vitest';
import type { CloseResult } from '../../../lib/index.ts';
import { closeRemaining, functionsOf } from '../../../scripts/start/functions.ts';

test('every lease that may have a session is closed, even if another one fails, and each outcome is printed', async () => {
  const outcomes: Record<string, CloseResult['outcome']> = { done: 'CLOSED', dying: 'ENDING', dead: 'SUSPECT' };
  const functions = functionsOf({
    login: () => Promise.reject(new Error('no response')),
    logout: async (event) => {
      const { leaseId } = event as { leaseId: string };
      if (leaseId in outcomes) return { result: { leaseId, outcome: outcomes[leaseId] } };
      return { error: { errorType: 'ARRAY_BUSY', errorMessage: 'it is busy' } };
    },
    lambdaOf: () => ({}) as never,
  });
  await expect(functions.openLease({ array: 'fb1', leaseId: 'busy', leaseSeconds: 60 })).rejects.toThrow('no response');
  for (const leaseId of Object.keys(outcomes)) functions.unclosed.add(leaseId);

  const lines: string[] = [];
  await closeRemaining(functions, { line: (text: string) => lines.push(text) } as never);
  const idle = "If the lease has a session, the array's idle timeout will end that session.";
  const closed = ['Lease done: CLOSED', 'Lease dying: ENDING', idle, 'Lease dead: SUSPECT', idle];
  expect(lines).toEqual(['Lease busy WAS NOT CLOSED. ARRAY_BUSY: it is busy', idle, ...closed]);
  expect([...functions.unclosed]).toEqual(['busy']);
});
