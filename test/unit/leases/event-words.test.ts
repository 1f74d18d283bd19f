/** Names that others match literally: an EventBridge rule with another name matches nothing, without any error. */
import { expect, it } from 'vitest';
import {
  DETAIL_TYPES,
  EXECUTION_DETAIL_TYPE,
  EXECUTION_ENDS,
  EXECUTION_SOURCE,
  SOURCE,
} from '../../../lib/leases/events.ts';

it('our events have the names that the documentation has', () => {
  expect([SOURCE, ...Object.values(DETAIL_TYPES)]).toEqual([
    'flashblade-sessions',
    'Session Requested',
    'Session Released',
    'Session Opened',
    'Session Closed',
    'Session Failed',
  ]);
});

it('events of Step Functions have the names that AWS documents', () => {
  expect([EXECUTION_SOURCE, EXECUTION_DETAIL_TYPE, ...EXECUTION_ENDS]).toEqual([
    'aws.states',
    'Step Functions Execution Status Change',
    'SUCCEEDED',
    'FAILED',
    'TIMED_OUT',
    'ABORTED',
  ]);
});
