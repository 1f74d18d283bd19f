/** Fields of the functions' log lines: what a report has, and what Powertools adds. */
import type { Report } from '../../lib/ground/reports.ts';

export const REPORTED = [
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

export const ADDED = ['level', 'service', 'timestamp', 'function_name', 'function_request_id'];

export const FIELDS: readonly string[] = [...REPORTED, ...ADDED];
