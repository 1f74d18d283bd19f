/** Names that others match by their letters: a rule of EventBridge with another name hears nothing, and nobody is told. */
import { expect, it } from 'vitest';
import {
  DETAIL_TYPES,
  EXECUTION_DETAIL_TYPE,
  EXECUTION_ENDS,
  EXECUTION_SOURCE,
  SOURCE,
} from '../../lib/ground/event-words.ts';

it('our events have the names that the README promises', () => {
  expect([SOURCE, ...Object.values(DETAIL_TYPES)]).toEqual([
    'flashblade-sessions',
    'Session Requested',
    'Session Released',
    'Session Opened',
    'Session Closed',
    'Session Failed',
  ]);
});

it('events of Step Functions have the names that AWS gives them', () => {
  expect([EXECUTION_SOURCE, EXECUTION_DETAIL_TYPE, ...EXECUTION_ENDS]).toEqual([
    'aws.states',
    'Step Functions Execution Status Change',
    'SUCCEEDED',
    'FAILED',
    'TIMED_OUT',
    'ABORTED',
  ]);
});
