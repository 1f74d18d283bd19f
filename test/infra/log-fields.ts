/** Fields of the functions' log lines, as a query names them: what a report has, and what Lambda adds. */
import type { Report } from '../../lib/core/reports.ts';

const REPORTED = [
  'event',
  'message',
  'leaseId',
  'array',
  'owner',
  'eventId',
  'secretVersionId',
  'requestId',
  'code',
  'status',
  'durationMs',
] satisfies (keyof Report)[];

const ADDED = ['level', 'timestamp', 'requestId'];

/** Lambda's own line of an error that leaves a function has no event, but these. */
export const OF_ERROR = ['message.errorType', 'message.errorMessage', 'message.stackTrace'];

export const FIELDS: readonly string[] = [...REPORTED.map((field) => `message.${field}`), ...ADDED, ...OF_ERROR];
