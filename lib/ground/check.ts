/** Input is checked by schemas whose messages are rules; what is thrown names the field and the rule, never the value. */
import * as z from 'zod/mini';
import { type ErrorCode, FlashBladeError } from './errors.ts';

/** A text field with its rule, as in `must be …`. */
export const text = (rule: string, holds: RegExp | ((value: string) => boolean)) => {
  const test = holds instanceof RegExp ? (value: string) => holds.test(value) : holds;
  return z.string({ error: rule }).check(z.refine(test));
};

/** A whole number from `min` to `max`. */
export const whole = (min: number, max: number) => {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z.int({ error: rule }).check(z.gte(min), z.lte(max));
};

/** Name of an array in the fleet. */
export const arrayName = text(
  'must be the name of an array: 1 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter or digit',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
);

/** Id of a lease or of an owner: whatever the caller uses to name its work. */
export const callersId = text('must be 1 to 512 visible ASCII characters without spaces', /^[!-~]{1,512}$/);

/** Returns the input as the schema says it is, or throws `code` with the first field that breaks a rule. */
export function check<Schema extends z.ZodMiniType>(
  schema: Schema,
  input: unknown,
  code: ErrorCode,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new FlashBladeError(code, `${what}: ${describe(result.error.issues[0])}`);
}

function describe(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'is not valid';
  const field = issue.path
    .map((step) => (typeof step === 'number' || isName(String(step)) ? String(step) : '…'))
    .join('.');
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return `${place(field)}has a field that is not known${isName(key) ? `: ${key}` : ''}`;
  }
  if (issue.code === 'invalid_type' && issue.expected === 'object') return `${place(field)}must be a JSON object`;
  return `${place(field)}${issue.message}`;
}

const place = (field: string): string => (field === '' ? '' : `${field} `);

// A key is the caller's text, too: it is repeated only if it looks like a field's name.
const isName = (key: string): boolean => /^[A-Za-z][A-Za-z_-]{0,31}$/.test(key);
