/** Resolves a template as CloudFormation does: decides conditions, splits strings, and omits resources and properties without a value. */
import type { Template } from '../../kit/packaged.ts';
import { at } from './template.ts';

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
