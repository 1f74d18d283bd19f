/** Fields of the functions' log lines, as a query names them: those of a report, and those that Lambda adds. */
import type { Report } from '../../../lib/core/reports.ts';

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

/** The line that Lambda writes for an error of a function has no event, but these fields. */
export const OF_ERROR = ['message.errorType', 'message.errorMessage', 'message.stackTrace'];

export const FIELDS: readonly string[] = [...REPORTED.map((field) => `message.${field}`), ...ADDED, ...OF_ERROR];
