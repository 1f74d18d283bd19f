import { expect, test } from 'vitest';
import type { CloseResult } from '../../../lib/index.ts';
import { closeTheRest, functionsOf } from '../../../scripts/start/functions.ts';

test('every lease that may hold a session is closed, whatever becomes of the others, and the outcome is told', async () => {
  const outcomes: Record<string, CloseResult['outcome']> = { done: 'CLOSED', dying: 'ENDING', dead: 'SUSPECT' };
  const functions = functionsOf({
    login: () => Promise.reject(new Error('no answer')),
    logout: async (event) => {
      const { leaseId } = event as { leaseId: string };
      if (leaseId in outcomes) return { result: { leaseId, outcome: outcomes[leaseId] } };
      return { error: { errorType: 'ARRAY_BUSY', errorMessage: 'it is busy' } };
    },
    lambdaOf: () => ({}) as never,
  });
  await expect(functions.openLease({ array: 'fb1', leaseId: 'busy', leaseSeconds: 60 })).rejects.toThrow('no answer');
  for (const leaseId of Object.keys(outcomes)) functions.unclosed.add(leaseId);

  const lines: string[] = [];
  await closeTheRest(functions, { line: (text: string) => lines.push(text) } as never);
  const idle = 'Its session, if there is one, ends by the idle time-out of the array.';
  const closed = ['Lease done: CLOSED', 'Lease dying: ENDING', idle, 'Lease dead: SUSPECT', idle];
  expect(lines).toEqual(['Lease busy WAS NOT CLOSED. ARRAY_BUSY: it is busy', idle, ...closed]);
  expect([...functions.unclosed]).toEqual(['busy']);
});
