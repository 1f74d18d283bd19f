/** The sessions of a fleet, for programs. Every session has a lease in the ledger of a deployed stack. */
import './core/node-version.ts';
import { type AwsOptions, createPorts } from './compose.ts';
import { type Given, readConfig } from './core/config.ts';
import { EVENTS, type Report } from './core/reports.ts';
import { checkedObject, invalid, onlyKnown } from './flashblade/arguments.ts';
import { type Fleet, type FleetLimits, fleetOf, givenIn, givenLimits, mustBeFunction } from './fleet-of.ts';

/**
 * Options of `createFleet`. Each of the first ones corresponds to a variable in docs/library.md, whose value is the default. Use the values
 * of your stack.
 */
export interface FleetOptions {
  /** Name of the lease table. Variable: `LEASE_TABLE`. */
  readonly table?: string | undefined;
  /** ARN, id or alias of the KMS key that seals auth tokens. Variable: `LEASE_KEY`. */
  readonly key?: string | undefined;
  /** Prefix of every secret name, followed by the array's name. Variable: `SECRET_PREFIX`. Default: `flashblade/`. */
  readonly secretPrefix?: string | undefined;
  /** How long a secret stays cached, from 0 to 3600 seconds. Variable: `SECRET_CACHE_SECONDS`. Default: 300. */
  readonly secretCacheSeconds?: number | undefined;
  /** Partitions of the ledger's index, from 1 to 16. Variable: `DUE_SHARDS`. Default: 1. */
  readonly dueShards?: number | undefined;
  /** Limits that all programs of a stack share. */
  readonly limits?: FleetLimits | undefined;
  /** Milliseconds for the DNS lookup, connection and TLS handshake of a call. Variable: `CONNECT_TIMEOUT_MS`. Default: 2000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds from a request to the end of the response's headers. Variable: `FIRST_BYTE_TIMEOUT_MS`. Default: 5000. */
  readonly firstByteTimeoutMs?: number | undefined;
  /** Milliseconds for a whole call to an array. Variable: `ANSWER_TIMEOUT_MS`. Default: 10000. */
  readonly timeoutMs?: number | undefined;
  /** Region, credentials or clients for AWS. Default: the environment. */
  readonly aws?: AwsOptions | undefined;
  /** Receives every report, such as a login or a failed logout. Its errors are ignored. Default: warnings and errors go to stderr. */
  readonly onEvent?: ((report: Report) => void) | undefined;
}

/**
 * Returns a fleet. Nothing is sent until you use it, so it is cheap. Use one fleet for a whole program. Programs for several regions create
 * one fleet each. Throws CONFIG_INVALID or REQUEST_INVALID, which names the option or the variable.
 *
 * @example
 * const fleet = createFleet({ table: 'leases', key: 'alias/leases', aws: { region: 'eu-central-1' } });
 * const arrays = await fleet.withSession('fb1', (fb) => fb.get('/arrays'));
 */
export function createFleet(options: FleetOptions = {}): Fleet {
  onlyKnown('options', options, [...Object.keys(VARIABLE_OF), 'limits', 'aws', 'onEvent']);
  const { limits = {}, aws = {}, onEvent = toStderr } = options;
  checkAws(aws);
  mustBeFunction('options.onEvent', onEvent);
  const given: Given = { ...givenIn(options, VARIABLE_OF), ...givenLimits(limits) };
  return fleetOf(createPorts(readConfig(process.env, given), onEvent, aws));
}

function checkAws(aws: AwsOptions): void {
  onlyKnown('options.aws', aws, ['region', 'credentials', 'clients']);
  const { region, credentials, clients = {} } = aws;
  if (region !== undefined && !(typeof region === 'string' && /^[a-z]{2}[a-z-]+-\d+$/.test(region)))
    throw invalid('options.aws.region', 'must be a region, such as eu-central-1');
  if (credentials !== undefined && typeof credentials !== 'function') {
    const rule = 'must have accessKeyId and secretAccessKey, or be a function that returns them';
    const { accessKeyId, secretAccessKey } = checkedObject('options.aws.credentials', credentials, rule);
    if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
      throw invalid('options.aws.credentials', rule);
  }
  onlyKnown('options.aws.clients', clients, Object.keys(SERVICES));
  for (const [name, client] of Object.entries(clients)) {
    if (client === undefined) continue;
    const { send, config } = Object(client);
    if (typeof send !== 'function') throw invalid(`options.aws.clients.${name}`, 'must be a client of the AWS SDK');
    const service = SERVICES[name as keyof typeof SERVICES];
    if (config?.serviceId !== undefined && config.serviceId !== service)
      throw invalid(`options.aws.clients.${name}`, `must be a client for ${service}, not for another service`);
  }
}

const SERVICES = { dynamodb: 'DynamoDB', kms: 'KMS', secretsManager: 'Secrets Manager' };

export const VARIABLE_OF = {
  table: 'LEASE_TABLE',
  key: 'LEASE_KEY',
  secretPrefix: 'SECRET_PREFIX',
  secretCacheSeconds: 'SECRET_CACHE_SECONDS',
  dueShards: 'DUE_SHARDS',
  connectTimeoutMs: 'CONNECT_TIMEOUT_MS',
  firstByteTimeoutMs: 'FIRST_BYTE_TIMEOUT_MS',
  timeoutMs: 'ANSWER_TIMEOUT_MS',
} as const satisfies Partial<Record<keyof FleetOptions, keyof Given>>;

const toStderr = (report: Report): void => {
  const level = EVENTS[report.event];
  if (level !== 'info') process.stderr.write(`${JSON.stringify({ level, ...report })}\n`);
};
