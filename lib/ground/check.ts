/** Input is checked by schemas whose messages are rules; what is thrown names the field and the rule, never the value. */
import * as v from 'valibot';
import { type ErrorCode, FlashBladeError } from './errors.ts';
import { containsApiToken, NO_API_TOKEN } from './token-shape.ts';

/** A text field with its rule, as in `must be …`. */
export const text = (rule: string, holds: RegExp | ((value: string) => boolean)) =>
  v.pipe(v.string(rule), holds instanceof RegExp ? v.regex(holds, rule) : v.check(holds, rule));

/** A name that a caller chooses: as `text`. It goes to logs, errors and AWS, so it must not be, or contain, an API token. */
export const nameText = (rule: string, holds: RegExp) =>
  v.pipe(
    text(rule, holds),
    v.check((value) => !containsApiToken(value), NO_API_TOKEN),
  );

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(min, rule), v.maxValue(max, rule));
}

/** A list of 1 to `max` items. How many there are is looked at first. */
export const listOf = <Item extends v.GenericSchema>(item: Item, max: number, rule: string) =>
  v.pipe(v.array(v.unknown(), rule), v.minLength(1, rule), v.maxLength(max, rule), v.array(item));

/** Any JSON object. The library takes a list for one, too. */
export const jsonObject = (rule: string) =>
  v.custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    rule,
  );

/** A JSON object with these fields; what else it has is passed over. A field that is missing breaks its own rule. */
export const fields = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(
    jsonObject('must be a JSON object'),
    v.transform((input) => Object.fromEntries(Object.keys(entries).map((name) => [name, ownOf(input, name)]))),
    v.object(entries),
  );

/** A JSON object with these fields and no other. */
export const onlyFields = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(
    jsonObject('must be a JSON object'),
    v.rawCheck(({ dataset, addIssue }) => {
      const other = dataset.typed && Object.keys(dataset.value).find((name) => !Object.hasOwn(entries, name));
      if (typeof other !== 'string') return;
      addIssue({ message: `has a field that is not known${isName(other) ? `: ${other}` : ''}` });
    }),
    fields(entries),
  );

const ownOf = (input: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(input, name) ? input[name] : undefined;

/** Name of an array in the fleet. */
export const arrayName = nameText(
  'must be the name of an array: 1 to 64 letters, digits, dots, hyphens or underscores, beginning with a letter or digit',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
);

/** Id of a lease or of an owner: whatever the caller uses to name its work. */
export const callersId = nameText('must be 1 to 512 visible ASCII characters without spaces', /^[!-~]{1,512}$/);

/** Returns the input as the schema says it is, or throws `code` with the first field that breaks a rule. */
export function check<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  code: ErrorCode,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return result.output;
  throw new FlashBladeError(code, `${what}: ${describe(result.issues[0])}`);
}

function describe({ path, message }: v.BaseIssue<unknown>): string {
  if (path === undefined) return message;
  const steps = path.map(({ key }) => (typeof key === 'number' || isName(String(key)) ? String(key) : '…'));
  return `${steps.join('.')} ${message}`;
}

// A key is the caller's text, too: it is repeated only if it looks like a field's name.
const isName = (key: string): boolean => /^[A-Za-z][A-Za-z_-]{0,31}$/.test(key);
