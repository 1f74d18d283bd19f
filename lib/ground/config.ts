/** The configuration: environment variables, read once at cold start, refused loudly. */
import { FlashBladeError } from './errors.ts';

type Variable =
  | { readonly kind: 'text'; readonly default?: string; readonly about: string }
  | {
      readonly kind: 'number';
      readonly default: number;
      readonly min: number;
      readonly max: number;
      readonly about: string;
    };

/** Every variable that the library reads; the README's table is checked against this one. */
export const VARIABLES = {
  LEASE_TABLE: { kind: 'text', about: 'name of the DynamoDB table that holds the leases' },
  LEASE_KEY: { kind: 'text', about: 'ARN, id or alias of the KMS key that seals auth tokens' },
  SECRET_PREFIX: {
    kind: 'text',
    default: 'flashblade/',
    about: "what comes before an array's name in the name of its secret",
  },
  SESSIONS_PER_ARRAY: { kind: 'number', default: 50, min: 1, max: 500, about: 'live leases that one array may have' },
  MAX_LEASE_SECONDS: {
    kind: 'number',
    default: 86_400,
    min: 60,
    max: 604_800,
    about: 'how long after its request a lease may be renewed to',
  },
  SECRET_CACHE_SECONDS: {
    kind: 'number',
    default: 300,
    min: 0,
    max: 3600,
    about: 'how long a secret is used without being read again',
  },
  ARRAY_IDLE_SECONDS: {
    kind: 'number',
    default: 1800,
    min: 300,
    max: 86400,
    about: 'after how long an array ends an idle session',
  },
  CONNECT_TIMEOUT_MS: {
    kind: 'number',
    default: 2000,
    min: 100,
    max: 60000,
    about: 'name look-up, TCP and TLS together',
  },
  FIRST_BYTE_TIMEOUT_MS: {
    kind: 'number',
    default: 5000,
    min: 100,
    max: 60000,
    about: "from the request to the answer's first byte",
  },
  ANSWER_TIMEOUT_MS: {
    kind: 'number',
    default: 10000,
    min: 100,
    max: 120000,
    about: 'one call of an array as a whole',
  },
} as const satisfies Record<string, Variable>;

export type Config = {
  readonly [Name in keyof typeof VARIABLES]: (typeof VARIABLES)[Name]['kind'] extends 'number' ? number : string;
};

/**
 * Reads the configuration. Throws CONFIG_INVALID, naming every variable that is missing or out of its range, never a value.
 * An empty variable counts as absent.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const faults: string[] = [];
  const values = Object.entries<Variable>(VARIABLES).map(([name, variable]) => {
    const text = environment[name] || undefined;
    const value = variable.kind === 'text' ? (text ?? variable.default) : numberOf(text, variable);
    if (value === undefined) faults.push(`${name} ${ruleOf(variable)}`);
    return [name, value];
  });
  if (faults.length > 0) throw new FlashBladeError('CONFIG_INVALID', `environment variable ${faults.join('; ')}`);
  return Object.freeze(Object.fromEntries(values)) as Config;
}

function numberOf(text: string | undefined, variable: Variable & { kind: 'number' }): number | undefined {
  if (text === undefined) return variable.default;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= variable.min && value <= variable.max ? value : undefined;
}

const ruleOf = (variable: Variable): string =>
  variable.kind === 'text'
    ? `must be set (${variable.about})`
    : `must be a whole number from ${variable.min} to ${variable.max} (${variable.about})`;
