/** Routes each request to its endpoint and returns the response. The only side effects are changes to the array's state. */
import {
  changeAdmin,
  createApiTokens,
  deleteApiTokens,
  listAdmins,
  listAdminsOldWay,
  listApiTokens,
} from './admins.ts';
import type { ApiRequest, SimulatedArray } from './array.ts';
import { login, logout } from './authentication.ts';
import { accessDenied, htmlPage, json, oauthError, pathError, type Reply, wrongPath } from './reply.ts';
import {
  listArrays,
  listArraysOldWay,
  listFileSystems,
  listFileSystemsOldWay,
  listSessions,
  listSnapshots,
  listSnapshotsOldWay,
} from './resources.ts';
import type { SimulatedSession } from './sessions.ts';
import { compareVersions, supports } from './versions.ts';

type Action = (request: ApiRequest, array: SimulatedArray, session: SimulatedSession) => Reply;
type Actions = Readonly<Record<string, Action>>;
type Resource = { readonly since: string; readonly actions: Actions };

const OPEN_PATHS: Readonly<
  Record<string, Readonly<Record<string, (request: ApiRequest, array: SimulatedArray) => Reply>>>
> = {
  '/api/login': { POST: login },
  '/api/logout': { POST: logout },
  '/api/api_version': { GET: (_, { settings }) => json(200, { versions: settings.versions }) },
  '/oauth2/1.0/token': { POST: oauthError },
};

const REST_1: Readonly<Record<string, Resource>> = {
  arrays: { since: '1.0', actions: { GET: listArraysOldWay } },
  'file-systems': { since: '1.0', actions: { GET: listFileSystemsOldWay } },
  'file-system-snapshots': { since: '1.0', actions: { GET: listSnapshotsOldWay } },
  admins: { since: '1.2', actions: { GET: listAdminsOldWay, PATCH: changeAdmin } },
};

const REST_2: Readonly<Record<string, Resource>> = {
  arrays: { since: '2.0', actions: { GET: listArrays } },
  'file-systems': { since: '2.0', actions: { GET: listFileSystems } },
  'file-system-snapshots': { since: '2.0', actions: { GET: listSnapshots } },
  admins: { since: '2.0', actions: { GET: listAdmins } },
  'admins/api-tokens': {
    since: '2.0',
    actions: { GET: listApiTokens, POST: createApiTokens, DELETE: deleteApiTokens },
  },
  sessions: { since: '2.3', actions: { GET: listSessions } },
};

const REQUEST_ID_SINCE = '2.14';

export function respond(request: ApiRequest, array: SimulatedArray): Reply {
  const reply = route(request, array);
  const requestId = request.headers['x-request-id'];
  if (requestId === undefined || !supports(array.settings.versions, REQUEST_ID_SINCE)) return reply;
  return { ...reply, headers: { ...reply.headers, 'x-request-id': requestId } };
}

function route(request: ApiRequest, array: SimulatedArray): Reply {
  const { method, path } = request;
  if (request.body.trim() === 'null') return pathError(500, path, 'Internal Server Error');
  const open = own(OPEN_PATHS, path);
  if (open !== undefined) return own(open, method)?.(request, array) ?? methodNotAllowed(path, open);
  if (!path.startsWith('/api/')) return htmlPage(404, 'Not Found');
  const resource = findResource(path, array.settings.versions);
  return resource === undefined ? wrongPath() : callResource(resource, request, array);
}

/** Checks the session first, then the method. */
function callResource({ actions }: Resource, request: ApiRequest, array: SimulatedArray): Reply {
  const authToken = request.headers['x-auth-token'];
  const session = authToken === undefined ? undefined : array.sessions.use(authToken);
  if (session === undefined) return accessDenied(array.settings.deadSessionStatus, request.path);
  return own(actions, request.method)?.(request, array, session) ?? methodNotAllowed(request.path, actions);
}

function findResource(path: string, versions: readonly string[]): Resource | undefined {
  const [, version = '', name = ''] = /^\/api\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (!versions.includes(version)) return undefined;
  const resource = own(version.startsWith('1.') ? REST_1 : REST_2, name);
  return resource !== undefined && compareVersions(version, resource.since) >= 0 ? resource : undefined;
}

function methodNotAllowed(path: string, actions: Readonly<Record<string, unknown>>): Reply {
  const reply = pathError(405, path, 'Method Not Allowed');
  return { ...reply, headers: { ...reply.headers, allow: Object.keys(actions).join(', ') } };
}

const own = <Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;
