/** Rules for the compiled template. Each comes with changes of the template that must break it. */
import { expect, test } from 'vitest';
import type { Template } from '../../../kit/packaged.ts';
import { at, differs, GONE, idsOf, places, shown, withChange } from '../template.ts';

/** What is wrong, as text. Anything but a text means that nothing is. */
export type Faults = string | boolean | undefined | readonly Faults[];

/** A change: the value at a path. `fault`: a part of the fault that the rule must report then, if it knows several. */
type Planted = readonly [what: string, path: string, value: unknown, fault?: string];

export type Rule<Subject = Template> = {
  readonly rule: string;
  readonly faults: (subject: Subject) => readonly string[];
  readonly planted: readonly Planted[];
};

export const rule = <Subject = Template>(
  text: string,
  find: (subject: Subject) => Faults,
  ...planted: Planted[]
): Rule<Subject> => ({ rule: text, faults: (subject) => textsIn(find(subject)), planted });

const textsIn = (faults: Faults): string[] => {
  if (Array.isArray(faults)) return faults.flatMap(textsIn);
  return typeof faults === 'string' ? [faults] : [];
};

/**
 * The value at each place that the pattern matches is the required one (GONE: nothing is there). An exact value is broken by any other
 * and by none at all; `wrong` are other values that must break the rule.
 */
export const must = (pattern: string, required: unknown, ...wrong: unknown[]): Rule => {
  const always = required instanceof RegExp ? [] : required === GONE ? ['another'] : ['another', GONE];
  return rule(
    `${pattern} must be ${shown(required)}`,
    (template) => {
      const paths = places(template, pattern);
      if (paths.length === 0) return `There is no ${pattern}`;
      return paths.map((path) => differs(path, at(template.Resources, path), required));
    },
    ...[...always, ...wrong].map((value): Planted => [`the value ${shown(value)}`, pattern, value]),
  );
};

/** `must` for each path below `prefix`. */
export const mustAll = (prefix: string, required: Readonly<Record<string, unknown>>): Rule[] =>
  Object.entries(required).map(([path, value]) => must(`${prefix}/${path}`, value));

/** The resources of this type are these, and no others. */
export const only = (type: string, ...ids: string[]): Rule =>
  rule(
    `the only resources of the type ${type} are ${ids.join(', ')}`,
    (template) => differs(type, idsOf(template, type).sort(), [...ids].sort()),
    ['one that is missing', ids[0] ?? '', GONE],
    ['another one', 'Other', { Type: type, Properties: {} }],
  );

export const faultsOf = (template: Template, rules: readonly Rule[]): string[] =>
  rules.flatMap(({ faults }) => faults(template));

/** The template with a planted change, at each place that its path matches. */
export const variants = (template: Template, path: string, value: unknown): Template[] =>
  places(template, path).map((place) => withChange(template, place, value));

/** Tests that every rule holds, and that each planted change, wherever it fits, breaks its rule. */
export function testRules<Subject>(
  rules: readonly Rule<Subject>[],
  subject: () => Subject,
  variantsOf: (subject: Subject, path: string, value: unknown) => readonly Subject[],
): void {
  for (const { rule: title, faults, planted } of rules) {
    test(title, () => {
      expect(faults(subject())).toEqual([]);
      const noticed = planted.map(([what, path, value, fault = '']) => {
        const found = variantsOf(subject(), path, value).map(faults);
        const isNoticed = found.length > 0 && found.every((all) => all.length > 0 && all.join('\n').includes(fault));
        return isNoticed ? what : `${what}: not noticed, but ${JSON.stringify(found)}`;
      });
      expect(noticed, 'planted changes').toEqual(planted.map(([what]) => what));
      expect(planted, 'planted changes').not.toHaveLength(0);
    });
  }
}
