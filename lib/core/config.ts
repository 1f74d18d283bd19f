/** Reads and validates the configuration from environment variables, once at cold start. */
import { FlashBladeError } from './errors.ts';
import { containsApiToken, NO_API_TOKEN } from './redact.ts';
import { unreplaced } from './unreplaced.ts';

const required = (about: string) => ({ kind: 'text', about }) as const;
const optional = (fallback: string, about: string) => ({ kind: 'text', default: fallback, about }) as const;
const number = (fallback: number, min: number, max: number, about: string) =>
  ({ kind: 'number', default: fallback, min, max, about }) as const;
type Whole = ReturnType<typeof number>;
type Variable = { readonly kind: 'text'; readonly default?: string; readonly about: string } | Whole;

/**
 * Every variable that the library reads, with its default, minimum, maximum and meaning. A test compares this list with the table in
 * docs/library.md.
 */
export const VARIABLES = {
  LEASE_TABLE: required('name of the DynamoDB lease table'),
  LEASE_KEY: required('ARN, id or alias of the KMS key that seals auth tokens'),
  SECRET_PREFIX: optional('flashblade/', 'prefix of every secret name, followed by the array name'),
  SESSIONS_PER_ARRAY: number(50, 1, 500, 'maximum number of live leases per array'),
  ALLOWED_CALLS: optional(
    'GET /api/**',
    'calls that call-array may make, as a comma-separated list of methods and paths',
  ),
  MAX_LEASE_SECONDS: number(
    86_400,
    60,
    604_800,
    'maximum lifetime of a renewed lease, counted from the original request',
  ),
  SECRET_CACHE_SECONDS: number(300, 0, 3600, 'how long a secret stays cached'),
  DUE_SHARDS: number(1, 1, 16, 'number of partitions that new entries in the index of due items are spread over'),
  ARRAY_IDLE_SECONDS: number(1800, 300, 86_400, 'idle time after which an array ends a session'),
  CONNECT_TIMEOUT_MS: number(2000, 100, 60_000, 'combined time limit for DNS lookup, TCP and TLS'),
  FIRST_BYTE_TIMEOUT_MS: number(5000, 100, 60_000, 'time limit from the request to the end of the response headers'),
  ANSWER_TIMEOUT_MS: number(10_000, 100, 120_000, 'time limit for an entire call to an array'),
};

/** The additional variables that session-events reads. */
export const OUTBOX_VARIABLES = {
  EVENT_BUS: required('name or ARN of the event bus that receives session events (session-events only)'),
  DEAD_LETTER_QUEUE: required(
    'URL of the queue that receives the reasons for permanent failures (session-events only)',
  ),
  // The minimum is several times the maximum clock skew. The maximum is the same as Lambda's limit for asynchronous invocations.
  MAX_REQUEST_AGE_SECONDS: number(
    3600,
    300,
    21_600,
    'age above which a Session Requested event opens no session (session-events only)',
  ),
};

/** The additional variable that sweep-sessions reads. */
export const SWEEP_VARIABLES = {
  STATE_MACHINE_ARN_PREFIX: optional(
    '',
    'ARN prefix of the state machines whose executions own leases; if empty, the sweeper does not check executions (sweep-sessions only)',
  ),
};

type Environment = Readonly<Record<string, string | undefined>>;
type Values<Variables extends Record<string, Variable>> = {
  readonly [Name in keyof Variables]: Variables[Name] extends Whole ? number : string;
};
export type Config = Values<typeof VARIABLES>;

/** A program's options that replace variables. `value` is undefined if the program did not give the option. */
export type Given = Readonly<Partial<Record<keyof Config, { readonly option: string; readonly value: unknown }>>>;

/**
 * Reads the configuration. Options in `given` replace variables. An empty variable is treated as missing. Throws CONFIG_INVALID, which
 * names each missing or invalid option or variable but never includes a value.
 */
export const readConfig = (environment: Environment, given: Given = {}): Config => read(VARIABLES, environment, given);

/** Reads the additional variables for session-events. Throws CONFIG_INVALID. */
export const readOutboxConfig = (environment: Environment): Values<typeof OUTBOX_VARIABLES> =>
  read(OUTBOX_VARIABLES, environment);

/** Reads the additional variable for sweep-sessions. Throws CONFIG_INVALID. */
export const readSweepConfig = (environment: Environment): Values<typeof SWEEP_VARIABLES> =>
  read(SWEEP_VARIABLES, environment);

function read<Variables extends Record<string, Variable>>(
  variables: Variables,
  environment: Environment,
  given: Readonly<Record<string, { readonly option: string; readonly value: unknown }>> = {},
): Values<Variables> {
  if (typeof environment !== 'object' || environment === null)
    throw new FlashBladeError('CONFIG_INVALID', 'the environment must be an object, such as process.env');
  const problems: string[] = [];
  const values = Object.entries<Variable>(variables).map(([name, variable]) => {
    const { option, value: own } = given[name] ?? {};
    const found: unknown = own === undefined ? environment[name] || undefined : own;
    // A variable is always a string. An option has the type of its value.
    const isRight = own === undefined || typeof found === (variable.kind === 'text' ? 'string' : 'number');
    const text = isRight && (typeof found === 'string' || typeof found === 'number') ? String(found) : undefined;
    const value = variable.kind === 'text' ? (text ?? variable.default) : numberOf(text, variable);
    // Table, key and queue names appear in AWS requests and error messages, so they must not be API tokens.
    const fault =
      text !== undefined && containsApiToken(text)
        ? NO_API_TOKEN
        : value === undefined || (text === undefined && found !== undefined)
          ? ruleOf(variable)
          : text === ''
            ? ruleOf(variable)
            : text && unreplaced(text);
    const names = [
      ...(option ? [`option ${option}`] : []),
      ...(own === undefined ? [`environment variable ${name}`] : []),
    ];
    if (fault) problems.push(`${names.join(' or ')} ${fault}`);
    return [name, value];
  });
  if (problems.length > 0) throw new FlashBladeError('CONFIG_INVALID', problems.join('; '));
  return Object.freeze(Object.fromEntries(values)) as Values<Variables>;
}

function numberOf(text: string | undefined, variable: Whole): number | undefined {
  if (text === undefined) return variable.default;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= variable.min && value <= variable.max ? value : undefined;
}

const ruleOf = (variable: Variable): string =>
  variable.kind === 'text'
    ? `must be set (${variable.about})`
    : `must be a whole number from ${variable.min} to ${variable.max} (${variable.about})`;
