/** The compiled CloudFormation template: as CloudFormation resolves it, its paths, and its values as text. */
import { isDeepStrictEqual } from 'node:util';
import type { Template } from '../../kit/packaged.ts';

/** As a value: nothing is there. */
export const GONE = undefined;

/** The value at a path such as `LoginRole/Properties/Policies/0`. */
export const at = (value: unknown, path: string): unknown =>
  path.split('/').reduce<unknown>((inner, step) => Object(inner)[keyOf(inner, step)], value);

/** In a list, a step is an index, the Sid of a policy statement, or `+` for a new element. */
function keyOf(value: unknown, step: string): string | number {
  if (!Array.isArray(value) || /^\d+$/.test(step)) return step;
  return step === '+' ? value.length : value.findIndex((one) => at(one, 'Sid') === step);
}

/** The paths that a pattern matches: `AWS::…` at its start is each resource of that type, and `*` each element of a list. */
export function places(template: Template, pattern: string): string[] {
  const [first = '', ...steps] = pattern.split('/');
  return steps.reduce(
    (paths, step) =>
      paths.flatMap((path) => {
        const keys = step === '*' ? Object.keys(Object(at(template.Resources, path))) : [step];
        return keys.map((key) => `${path}/${key}`);
      }),
    first.startsWith('AWS::') ? idsOf(template, first) : [first],
  );
}

/** A copy with another value at this path. */
export function changed<Value>(original: Value, path: string, value: unknown): Value {
  const copy = structuredClone(original);
  const steps = path.split('/');
  const last = steps.pop() ?? '';
  const parent = steps.length === 0 ? copy : at(copy, steps.join('/'));
  if (parent !== Object(parent)) throw new Error(`There is no ${path}`);
  const key = keyOf(parent, last);
  if (value !== GONE) Object.assign(Object(parent), { [key]: value });
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else Reflect.deleteProperty(Object(parent), key);
  return copy;
}

/** A copy of the template with another value at this path below its resources. */
export const withChange = (template: Template, path: string, value: unknown): Template => ({
  ...template,
  Resources: changed(template.Resources, path, value),
});

export const list = (value: unknown): readonly unknown[] =>
  value === GONE ? [] : Array.isArray(value) ? value : [value];

export const idsOf = ({ Resources }: Template, type: string): string[] =>
  Object.keys(Resources).filter((id) => Resources[id]?.Type === type);

/** A value as text: `LeaseTable.Arn` for an attribute, `arn:<Partition>:…` for `Fn::Sub`, a string unchanged, otherwise JSON. */
export function render(value: unknown): string {
  if (typeof value === 'string') return value;
  const attribute = at(value, 'Fn::GetAtt');
  if (attribute !== GONE) return list(attribute).join('.');
  const pattern = at(value, 'Fn::Sub');
  if (pattern !== GONE) return String(pattern).replace(/\$\{(?:AWS::)?([\w.]+)\}/g, '<$1>');
  return String(at(value, 'Ref') ?? JSON.stringify(value));
}

/** The value for `Fn::Sub` from the form that `render` writes, with AWS's own names in full: `arn:<AWS::Partition>:…`. */
export const sub = (text: string): string => text.replace(/<([\w:.]+)>/g, (_, name) => `$\{${name}}`);

export const arn = (id: string): object => ({ 'Fn::GetAtt': [id, 'Arn'] });

/** A fault that names the value and the required one, if they differ. A text is compared with the value as text. */
export function differs(what: string, value: unknown, required: unknown): string | false {
  const fits =
    required instanceof RegExp
      ? required.test(render(value))
      : typeof required === 'string'
        ? render(value) === required
        : isDeepStrictEqual(value, required);
  return !fits && `${what} must be ${shown(required)}, but is ${shown(value)}`;
}

export const shown = (value: unknown): string =>
  value === GONE ? 'absent' : value instanceof RegExp ? String(value) : JSON.stringify(value);

/** Resolves a template as CloudFormation does: decides conditions, splits strings, and omits resources and properties without a value. */
export const settled = (template: object): Template & { readonly Outputs: Readonly<Record<string, unknown>> } => {
  const holds = (name: unknown): boolean => isTrue(at(template, `Conditions/${String(name)}`));
  const { Resources, Outputs } = JSON.parse(JSON.stringify(template), (key, value) => {
    // The branches of an `Fn::If` keep their positions, even if one of them has no value.
    if (Array.isArray(value)) return key === 'Fn::If' ? value : value.filter((one) => one !== undefined);
    if (at(value, 'Ref') === 'AWS::NoValue') return undefined;
    if (at(value, 'Fn::If') !== undefined) return value['Fn::If'][holds(value['Fn::If'][0]) ? 1 : 2];
    if (at(value, 'Fn::Split') !== undefined) return value['Fn::Split'][1].split(value['Fn::Split'][0]);
    return at(value, 'Type') !== undefined && value.Condition !== undefined && !holds(value.Condition)
      ? undefined
      : value;
  });
  return { Resources, Outputs };
};

const isTrue = (condition: unknown): boolean => {
  const not = at(condition, 'Fn::Not/0');
  if (not !== undefined) return !isTrue(not);
  const [one, other] = [at(condition, 'Fn::Equals/0'), at(condition, 'Fn::Equals/1')];
  if (one === undefined || other === undefined) throw new Error(`an unknown condition: ${JSON.stringify(condition)}`);
  return one === other;
};
