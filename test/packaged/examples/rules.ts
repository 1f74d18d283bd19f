/** What EventBridge does with the rules of a template, as far as the examples need it. */

export type BusEvent = {
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
};

type Pattern = { readonly [field: string]: readonly (string | { readonly prefix: string })[] | Pattern };
export type Target = {
  readonly Arn: unknown;
  readonly InputPath?: string;
  readonly InputTransformer?: {
    readonly InputPathsMap: Readonly<Record<string, string>>;
    readonly InputTemplate: string;
  };
};
export type Rule = {
  /** Absent: the default event bus. */
  readonly EventBusName?: unknown;
  readonly EventPattern: Pattern;
  readonly Targets: readonly Target[];
};

/** Every field of the pattern must be in the event, with one of the listed values. */
export const matches = (pattern: Pattern, event: object): boolean =>
  Object.entries(pattern).every(([field, expected]) => {
    const value: unknown = Object.hasOwn(event, field) ? event[field as keyof typeof event] : undefined;
    if (isList(expected)) return expected.some((one) => isOne(one, value));
    return typeof value === 'object' && value !== null && matches(expected, value);
  });

const isList = (expected: Pattern[string]): expected is Extract<Pattern[string], readonly unknown[]> =>
  Array.isArray(expected);

const isOne = (expected: string | { readonly prefix: string }, value: unknown): boolean =>
  typeof expected === 'string' ? value === expected : typeof value === 'string' && value.startsWith(expected.prefix);

/** What the target gets. EventBridge writes values into a template as JSON. A path that leads nowhere leaves a gap. */
export function inputOf({ InputPath, InputTransformer }: Target, event: BusEvent): unknown {
  if (InputPath !== undefined) return valueAt(event, InputPath);
  if (InputTransformer === undefined) return event;
  const { InputPathsMap, InputTemplate } = InputTransformer;
  const text = InputTemplate.replace(
    /<(\w+)>/g,
    (_, name) => JSON.stringify(valueAt(event, InputPathsMap[name])) ?? '',
  );
  return JSON.parse(text);
}

const valueAt = (event: BusEvent, path = ''): unknown =>
  path
    .split('.')
    .slice(1)
    .reduce<unknown>((value, field) => Object(value)[field], event);
