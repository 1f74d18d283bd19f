/** The command line for `npm run simulator`: usage text, argument parser and output format. */
import { parsed } from '../scripts/command-line.ts';
import type { RequestRecord } from './exchange.ts';
import { FAULT_KINDS, type Fault } from './faults.ts';
import { randomApiToken, type SimulatorOptions } from './options.ts';
import type { SimulatedSession } from './sessions.ts';

/** The parsed command line. The caller reads the certificate files. */
export type Command = {
  readonly options: SimulatorOptions;
  readonly files: { readonly cert: string; readonly key: string } | undefined;
  readonly faults: readonly Fault[];
  /** A random API token that the command prints. Undefined if the user passed a token. */
  readonly madeApiToken: string | undefined;
};

export const USAGE = `npm run simulator -- [options]
  --port <0-65535>          default: 0 (any free port)
  --host <address>          default: 127.0.0.1
  --name <array name>       default: fb1
  --username <name>         default: pureuser
  --api-token <token>       default: a random token, printed at startup
  --rest-versions <list>    comma-separated, such as 1.0,2.4; default: 1.0 to 2.26
  --idle-timeout <30m>      number with unit s, m or h; 0 means no timeout; default: 30m
  --certificate <file>      PEM file; default: issued by a new authority for each run
  --private-key <file>      PEM file: the certificate's private key
  --self-signed             present a self-signed certificate
  --fault <JSON>            for example '{"kind":"reset","path":"/api/login","times":1}'; repeatable
  --help`;

/** Do not name an option --cert, --key or --versions, because npm consumes flags with those names. */
const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  name: { type: 'string' },
  username: { type: 'string' },
  'api-token': { type: 'string' },
  'rest-versions': { type: 'string' },
  'idle-timeout': { type: 'string' },
  certificate: { type: 'string' },
  'private-key': { type: 'string' },
  'self-signed': { type: 'boolean' },
  fault: { type: 'string', multiple: true },
} as const;

/** Throws an Error that names the invalid argument and its rule, but never contains a token. */
export function parseCommand(args: readonly string[]): Command | 'help' {
  const { values } = parsed(args, OPTIONS, { apiTokens: true });
  if (values.help) return 'help';
  const { host, name, username = 'pureuser', certificate: cert, 'private-key': key, fault = [] } = values;
  const selfSigned = values['self-signed'] === true;
  if ((cert === undefined) !== (key === undefined))
    throw new Error('--certificate and --private-key must be used together');
  if (selfSigned && cert !== undefined) throw new Error('--self-signed and --certificate cannot be combined');
  const given = values['api-token'];
  const madeApiToken = given === undefined ? randomApiToken() : undefined;
  const apiToken = madeApiToken ?? check('api-token', given, /^[!-~]+$/, 'contain only visible ASCII characters');
  return {
    options: {
      users: [{ username: check('username', username, /^[!-~]+$/, 'contain only visible ASCII characters'), apiToken }],
      ...(host !== undefined && { host }),
      ...(name !== undefined && { name }),
      ...(values.port !== undefined && { port: parsePort(values.port) }),
      ...(values['rest-versions'] !== undefined && { versions: values['rest-versions'].split(',').map(parseVersion) }),
      ...(values['idle-timeout'] !== undefined && { idleTimeoutMs: parseDuration(values['idle-timeout']) }),
      ...(selfSigned && { certificate: 'self-signed' as const }),
    },
    files: cert !== undefined && key !== undefined ? { cert, key } : undefined,
    faults: fault.map(parseFault),
    madeApiToken,
  };
}

function check(name: string, value: string | undefined, pattern: RegExp, rule: string): string {
  if (value === undefined || !pattern.test(value)) throw new Error(`--${name} must ${rule}`);
  return value;
}

function parsePort(text: string): number {
  const port = Number(check('port', text, /^\d{1,5}$/, 'be a number from 0 to 65535'));
  if (port > 65_535) throw new Error('--port must be a number from 0 to 65535');
  return port;
}

const parseVersion = (text: string): string =>
  check(
    'rest-versions',
    text,
    /^\d+\.\d+(\.\d+)?$/,
    'be a comma-separated list of REST versions, such as 1.0,1.8.1,2.4',
  );

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

function parseDuration(text: string): number {
  check(
    'idle-timeout',
    text,
    /^(0|\d{1,6}[smh])$/,
    'be a whole number with the unit s, m or h, such as 30m, or 0 for no timeout',
  );
  return Number.parseInt(text, 10) * (UNIT_MS[text.slice(-1)] ?? 0);
}

function parseFault(text: string): Fault {
  const fault: unknown = parseJson(text);
  if (!isFault(fault)) throw new Error(`--fault must be a JSON object whose kind is one of ${FAULT_KINDS.join(', ')}`);
  return fault;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Checks only `kind`. The `Fault` type documents the other fields. */
const isFault = (value: unknown): value is Fault =>
  typeof value === 'object' && value !== null && 'kind' in value && FAULT_KINDS.some((kind) => kind === value.kind);

/** Formats a request as one line. Shows which token headers the request had, but never a token. */
export function requestLine(record: RequestRecord): string {
  const carried = [record.hasApiToken && 'api-token ****', record.hasAuthToken && 'x-auth-token ****'].filter(Boolean);
  const query = record.query === '' ? '' : `?${record.query}`;
  const fault = record.fault === undefined ? '' : `  fault: ${record.fault}`;
  const target = `${record.method} ${record.path}${query}`;
  return [new Date(record.at).toISOString(), target, ...carried, `→ ${record.status ?? '?'}${fault}`].join('  ');
}

/** Lists the live sessions, one per line, without tokens. */
export function sessionLines(sessions: readonly SimulatedSession[], now: number): string {
  const lines = sessions.map(
    ({ username, location, startedAt, lastUsedAt }) =>
      `  ${username} from ${location}, since ${new Date(startedAt).toISOString()}, idle ${Math.round((now - lastUsedAt) / 1000)} s`,
  );
  return [`${sessions.length} live ${sessions.length === 1 ? 'session' : 'sessions'}`, ...lines].join('\n');
}
