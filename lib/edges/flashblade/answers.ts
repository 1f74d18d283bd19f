/** What an array's answers say: judged by the status. Nothing of a body is repeated: it may hold the token that was sent. */
import { type ErrorCode, type ErrorFacts, FlashBladeError } from '../../ground/errors.ts';
import type { FlashBlade } from '../../ground/model.ts';
import { describeArray } from './tls-errors.ts';
import type { Answer } from './transport.ts';

const MAX_WAIT_SECONDS = 86_400;
/** Far more than any answer of an array has, and far less than what JSON.stringify bears. */
const MAX_DEPTH = 100;

/** What was asked, what was answered, and what to do. */
type Told = { readonly action: string; readonly answer: Answer; readonly advice: string };

/** An error about an answer. Its text is ours alone. */
export const answerError = (
  code: ErrorCode,
  array: FlashBlade,
  { action, answer, advice }: Told,
  facts: ErrorFacts = {},
): FlashBladeError =>
  new FlashBladeError(code, `${describeArray(array)} answered ${answer.status} to ${action}: ${advice}`, {
    status: answer.status,
    sent: true,
    ...facts,
  });

/** ARRAY_BUSY, with the seconds that the array asks us to wait if it says so. */
export function busy(array: FlashBlade, told: Told, facts: ErrorFacts = {}): FlashBladeError {
  const seconds = retryAfterSeconds(told.answer.headers, Date.now());
  return answerError('ARRAY_BUSY', array, told, {
    ...facts,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  });
}

/** The body as JSON, undefined if it is not JSON or nested too deeply. The parser's own error would quote the body. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isDeeper(value, MAX_DEPTH) ? undefined : value;
  } catch {
    return undefined;
  }
}

const isDeeper = (value: unknown, max: number): boolean =>
  isObject(value) && (max === 0 || Object.values(value).some((inner) => isDeeper(inner, max - 1)));

/** A field of a JSON object; undefined if there is no such field, or no object. */
export const fieldOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Seconds to wait: `Retry-After` (seconds or a date), else which of the array's rates is used up. */
export function retryAfterSeconds(headers: Answer['headers'], nowMs: number): number | undefined {
  const { 'retry-after': after = '' } = headers;
  const seconds = /^\d{1,9}$/.test(after) ? Number(after) : Math.ceil((dateOf(after) - nowMs) / 1000);
  if (!Number.isNaN(seconds)) return Math.min(Math.max(seconds, 0), MAX_WAIT_SECONDS);
  if (headers['x-ratelimit-remaining-minute'] === '0') return 60;
  if (headers['x-ratelimit-remaining-second'] === '0') return 1;
  return undefined;
}

// Date.parse finds a date in nearly anything: in -5, and in 1.5.
const dateOf = (text: string): number =>
  /^([A-Z][a-z]+, .* GMT|\d{4}-\d\d-\d\dT.*Z)$/.test(text) ? Date.parse(text) : Number.NaN;
