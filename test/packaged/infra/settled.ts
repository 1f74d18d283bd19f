/** Resolves a template as CloudFormation does: decides conditions, splits strings, and omits resources and properties without a value. */
import { at, type Json, list, type Template } from './template.ts';

export const settled = ({ Conditions = {}, Resources, Outputs = {} }: Template): Template => {
  const value = (from: Json): Json | undefined => {
    if (Array.isArray(from)) return from.map(value).filter((one) => one !== undefined);
    if (from === null || typeof from !== 'object') return from;
    if (at(from, 'Ref') === 'AWS::NoValue') return undefined;
    if ('Fn::If' in from) return chosen(list(from['Fn::If']));
    if ('Fn::Split' in from) return String(at(from, 'Fn::Split', 1)).split(String(at(from, 'Fn::Split', 0)));
    return Object.fromEntries(Object.entries(from).flatMap(([name, inner]) => entry(name, value(inner))));
  };
  const entry = (name: string, inner: Json | undefined): [string, Json][] =>
    inner === undefined ? [] : [[name, inner]];
  const chosen = ([condition, yes = null, no = null]: Json[]): Json | undefined =>
    value(holds(at(Conditions, String(condition))) ? yes : no);
  const made = Object.fromEntries(
    Object.entries(Resources).filter(
      ([, { Condition }]) => Condition === undefined || holds(at(Conditions, String(Condition))),
    ),
  );
  return { Resources: value(made) as Template['Resources'], Outputs };
};

const holds = (condition: Json | undefined): boolean => {
  const not = at(condition, 'Fn::Not', 0);
  if (not !== undefined) return !holds(not);
  const [one, other] = list(at(condition, 'Fn::Equals'));
  if (one === undefined || other === undefined) throw new Error(`an unknown condition: ${JSON.stringify(condition)}`);
  return one === other;
};
