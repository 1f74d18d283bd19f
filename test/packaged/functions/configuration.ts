/** A function's configuration in the compiled template. */
import { template } from '../../kit/packaged.ts';

type Reference = string | { readonly Ref: string } | { readonly 'Fn::GetAtt': readonly string[] };
type Properties = {
  readonly Handler: string;
  readonly Timeout: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, Reference>> };
};

export type Configuration = {
  readonly handler: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
};

/** `physical`: the value of each logical id that the variables refer to. */
export function configurationOf(name: string, physical: Readonly<Record<string, string>>): Configuration {
  const logicalId = `${name[0]?.toUpperCase()}${name.slice(1).replaceAll('-', 'Dash')}LambdaFunction`;
  const resource = template().Resources[logicalId];
  if (resource === undefined) throw new Error(`There is no ${logicalId} in the template`);
  const { Handler, Timeout, Environment } = resource.Properties as Properties;
  const variables = Object.entries(Environment.Variables).map(([key, value]) => [key, resolved(value, physical)]);
  return { handler: Handler, variables: Object.fromEntries(variables), timeoutMs: Timeout * 1000 };
}

function resolved(value: Reference, physical: Readonly<Record<string, string>>): string {
  if (typeof value === 'string') return value;
  const logicalId = 'Ref' in value ? value.Ref : (value['Fn::GetAtt'][0] ?? '');
  const known = physical[logicalId];
  if (known === undefined) throw new Error(`A variable refers to ${logicalId}, which this deployment does not have`);
  return known;
}
