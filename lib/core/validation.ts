/** Validates input. Each schema's message states its rule. Errors name the field and the rule, but never the value. */
import * as v from 'valibot';
import { type ErrorCode, FlashBladeError } from './errors.ts';
import { parseJson } from './json.ts';
import { containsApiToken, NO_API_TOKEN } from './redact.ts';
import { unreplaced } from './unreplaced.ts';

/** Validates the input and returns it with the schema's type. Throws an error with `code` that names the first invalid field. */
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

/** Creates a check whose message depends on the value. `faultOf` returns why a value is invalid, or undefined. */
export const without = <Input>(faultOf: (value: Input) => string | undefined) =>
  v.rawCheck<Input>(({ dataset, addIssue }) => {
    const message = dataset.typed ? faultOf(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  });

/** Creates the schema for a text field. `rule` is worded to follow the field name, such as `must be …`. */
export const text = (rule: string, holds: RegExp | ((value: string) => boolean)) =>
  v.pipe(v.string(rule), holds instanceof RegExp ? v.regex(holds, rule) : v.check(holds, rule));

/**
 * Creates the schema for a name that the caller chooses. Such names identify work, so they must not be text that a tool should have
 * replaced. They also appear in logs, errors and AWS requests, so they must not contain an API token.
 */
export const nameText = (rule: string, holds: RegExp) =>
  v.pipe(v.string(rule), without(unreplaced), storedName(rule, holds));

/** Like `nameText`, but for a name that the ledger may already contain, even if callers can no longer choose it. */
export const storedName = (rule: string, holds: RegExp) =>
  v.pipe(
    text(rule, holds),
    v.check((value) => !containsApiToken(value), NO_API_TOKEN),
  );

/** Creates the schema for a whole number. `unit` is appended to the rule, for a number whose unit is easily mistaken. */
export function whole(min: number, max: number, unit = '') {
  const rule = `must be a whole number from ${min} to ${max}${unit}`;
  return v.pipe(
    v.number(({ input }) => (typeof input === 'string' ? `${rule}, not a string` : rule)),
    v.integer(rule),
    v.minValue(min, rule),
    v.maxValue(max, rule),
  );
}

/** Creates the schema for a list of 1 to `max` items. The length is checked before the items. */
export const listOf = <Item extends v.GenericSchema>(item: Item, max: number, rule: string) =>
  v.pipe(v.array(v.unknown(), rule), v.minLength(1, rule), v.maxLength(max, rule), v.array(item));

/** Creates the schema for any JSON object. Unlike Valibot's own object schema, this schema rejects lists. */
export const jsonObject = (rule: string) =>
  v.custom<Readonly<Record<string, unknown>>>(isObject, ({ input }) =>
    typeof input === 'string' && isObject(parseJson(input))
      ? `${rule}, but is a string that contains one. Encode the object as JSON only once`
      : rule,
  );

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Creates the schema for a JSON object. Fields that are not in `entries` are ignored. A missing field is validated as undefined. */
export const fields = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(
    jsonObject('must be a JSON object'),
    v.transform((input) => Object.fromEntries(Object.keys(entries).map((name) => [name, ownOf(input, name)]))),
    v.object(entries),
  );

/** Creates the schema for a JSON object with these fields and no others. */
export const onlyFields = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(
    jsonObject('must be a JSON object'),
    v.rawCheck(({ dataset, addIssue }) => {
      const other = dataset.typed && Object.keys(dataset.value).find((name) => !Object.hasOwn(entries, name));
      if (typeof other !== 'string') return;
      const name = isName(other) ? `: ${other}` : '';
      addIssue({ message: `has an unknown field${name} (allowed: ${Object.keys(entries).join(', ')})` });
    }),
    fields(entries),
  );

export const arrayName = nameText(
  'must be an array name: 1 to 64 letters, digits, dots, hyphens or underscores, starting with a letter or digit',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
);

export const isArrayName = (name: string): boolean => v.is(arrayName, name);

const ID_RULE = 'must be 1 to 512 visible ASCII characters without spaces';
const ID = /^[!-~]{1,512}$/;
/** The schema for a lease id or an owner that a caller chooses. */
export const callersId = nameText(ID_RULE, ID);
/** The schema for a lease id or an owner that the ledger may contain. */
export const storedId = storedName(ID_RULE, ID);

const ownOf = (input: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(input, name) ? input[name] : undefined;

function describe({ path, message }: v.BaseIssue<unknown>): string {
  if (path === undefined) return message;
  const steps = path.map(({ key }) => (typeof key === 'number' || isName(String(key)) ? String(key) : '…'));
  return `${steps.join('.')} ${message}`;
}

// Keys are input too, so a message repeats a key only if the key looks like a field name.
const isName = (key: string): boolean => /^[A-Za-z][A-Za-z_-]{0,31}$/.test(key);
