/**
 * Checks that a pact agrees with what the vendor publishes about the array. The facts are from the vendor's OpenAPI files, `FB2.0` to `FB2.28`
 * in `definitions/oas3.x` of https://github.com/PureStorage-OpenConnect/swagger (commit 7521ff6). Those files describe successful responses
 * only, so refusals are not compared. They are not part of this project.
 */
import { type Interaction, type Pact, titleOf } from '../pact-file.ts';
import { anyVersion } from './paths.ts';

type Kind = 'string' | 'integer' | { readonly [name: string]: Kind } | readonly [Kind];
type Operation = {
  /** The first version of REST 2 that has this path. */
  readonly since?: string;
  /** The header with the token. */
  readonly token?: 'api-token' | 'x-auth-token';
  readonly query?: readonly string[];
  readonly responseHeaders?: readonly string[];
  /** The fields of the JSON body. Absent if the response has no body. */
  readonly body?: Kind;
};

const PAGES = ['continuation_token', 'filter', 'limit', 'offset', 'sort'];
const listOf = (fields: Kind): Kind => ({ continuation_token: 'string', total_item_count: 'integer', items: [fields] });

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /api/api_version': { body: { versions: ['string'] } },
  'POST /api/login': { token: 'api-token', responseHeaders: ['x-auth-token'], body: { username: 'string' } },
  'POST /api/logout': { token: 'x-auth-token' },
  'GET /api/{version}/arrays': {
    since: '2.0',
    token: 'x-auth-token',
    query: PAGES,
    body: listOf({
      ...{ id: 'string', name: 'string', _as_of: 'integer', banner: 'string', idle_timeout: 'integer' },
      ...{ ntp_servers: ['string'], os: 'string', revision: 'string', time_zone: 'string', version: 'string' },
    }),
  },
  'GET /api/{version}/admins/api-tokens': {
    since: '2.0',
    token: 'x-auth-token',
    query: [...PAGES, 'admin_ids', 'admin_names', 'expose_api_token'],
    body: listOf({
      admin: { id: 'string', name: 'string', resource_type: 'string' },
      api_token: { created_at: 'integer', expires_at: 'integer', token: 'string' },
    }),
  },
  'GET /api/{version}/sessions': {
    since: '2.3',
    token: 'x-auth-token',
    query: [...PAGES, 'ids', 'names'],
    body: listOf({
      ...{ id: 'string', name: 'string', user: 'string', user_interface: 'string', method: 'string', event: 'string' },
      ...{ event_count: 'integer', start_time: 'integer', end_time: 'integer', location: 'string' },
    }),
  },
};

/** Returns everything in the pact that the vendor does not describe. */
export const checkVendor = ({ interactions }: Pact): string[] =>
  interactions.flatMap((interaction) =>
    deviations(interaction).map(
      (what) =>
        `"${titleOf(interaction)}" ${what}, which the vendor does not describe. Correct the interaction, or the facts in contracts/checks/vendor.ts.`,
    ),
  );

function deviations({ request, response, providerStates = [] }: Interaction): string[] {
  if (request === undefined || response === undefined) return [];
  const name = `${request.method} ${anyVersion(request.path)}`;
  const operation = OPERATIONS[name];
  if (operation === undefined) return [`calls ${name}`];
  const { since, token, query = [], responseHeaders = [], body } = operation;
  const sent = namesOf(request['headers']);
  const asked = providerStates.map(({ params }) => params?.['since']).find((one) => one !== undefined);
  return [
    ...(token === undefined || sent.includes(token) ? [] : [`calls ${name} without the header ${token}`]),
    ...sent.filter((one) => one !== token).map((one) => `sends the header ${one} to ${name}`),
    ...namesOf(request['query']).flatMap((one) =>
      query.includes(one) ? [] : [`sends ${one} in the query of ${name}`],
    ),
    ...(contentOf(request['body']) === '' ? [] : [`sends a body to ${name}`]),
    ...(asked === undefined || asked === since ? [] : [`expects ${name} since REST ${asked}`]),
    ...(response.status === 200
      ? [
          ...namesOf(response['headers'])
            .filter((one) => ![...responseHeaders, 'content-type'].includes(one))
            .map((one) => `expects the header ${one} from ${name}`),
          ...differences(contentOf(response.body), body, 'the body').map((what) => `expects ${what} from ${name}`),
        ]
      : response.status < 400
        ? [`expects status ${response.status} from ${name}`]
        : []),
  ];
}

/** Header names do not depend on the case. */
const namesOf = (fields: unknown): string[] => Object.keys(Object(fields)).map((name) => name.toLowerCase());

/** Returns the example of a body, or an empty string if the body is empty or is not pinned. */
const contentOf = (body: unknown): unknown => (Object(body) as { content?: unknown }).content ?? '';

function differences(value: unknown, kind: Kind | undefined, where: string): string[] {
  if (value === '' && where === 'the body') return [];
  if (kind === undefined) return [where];
  if (kind === 'string') return typeof value === 'string' ? [] : [`${where} to be a ${typeof value}`];
  if (kind === 'integer') return Number.isSafeInteger(value) ? [] : [`${where} not to be an integer`];
  if (isList(kind)) {
    if (!Array.isArray(value)) return [`${where} not to be a list`];
    return value.flatMap((item) => differences(item, kind[0], where));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${where} not to be an object`];
  return Object.entries(value).flatMap(([name, inner]) => differences(inner, kind[name], name));
}

const isList = (kind: Kind): kind is readonly [Kind] => Array.isArray(kind);
