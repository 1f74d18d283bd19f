/** Endpoints for admins and their API tokens. REST 1 creates and deletes API tokens with PATCH. REST 2 uses POST and DELETE. */
import type { ApiRequest, SimulatedArray } from './array.ts';
import { jsonObject } from './authentication.ts';
import { listItems, listItemsOldWay } from './pages.ts';
import { accessDenied, empty, invalidBody, json, noSuchResource, type Reply, resourceError } from './reply.ts';
import type { SimulatedSession } from './sessions.ts';
import type { UserRecord } from './users.ts';

const MASK = '****';

export const listAdminsOldWay = (request: ApiRequest, { users }: SimulatedArray): Reply =>
  listItemsOldWay(request, users.all().map(oldItem));

export const listAdmins = (request: ApiRequest, { users }: SimulatedArray): Reply =>
  listItems(
    request,
    users.all().map((user) => ({
      name: user.username,
      is_local: true,
      locked: false,
      role: { name: user.role ?? 'array_admin' },
      ...(user.apiToken === '' ? {} : { api_token: tokenItem(user) }),
    })),
  );

/** In REST 1, users can change only their own API token. The body must request either creation or deletion, but not both. */
export function changeAdmin(request: ApiRequest, array: SimulatedArray, session: SimulatedSession): Reply {
  const user = array.users.named(session.username);
  if (user === undefined || request.query.get('names') !== user.username) return accessDenied(403, request.path);
  const { create_api_token: create, delete_api_token: remove, api_token_timeout: timeout } = jsonObject(request.body);
  if ((create === true) === (remove === true)) return invalidBody('create_api_token or delete_api_token expected');
  if (remove === true) return json(200, { items: [oldItem(deleteToken(array, user))] });
  if (timeout !== undefined && !isTimeout(timeout)) return invalidBody('api_token_timeout');
  if (!mayCreate(array, user)) return invalidBody('create_api_token: API token exists');
  const created = createToken(array, user, timeout);
  return json(200, { items: [{ ...oldItem(created), api_token: { ...oldToken(created), token: created.apiToken } }] });
}

export function createApiTokens(request: ApiRequest, array: SimulatedArray, session: SimulatedSession): Reply {
  const targets = findTargets(request, array, session);
  if (!Array.isArray(targets)) return targets;
  const timeoutText = request.query.get('timeout');
  const timeout = timeoutText === null ? undefined : Number(timeoutText);
  if (timeout !== undefined && !isTimeout(timeout)) return resourceError(null, 'Invalid timeout.');
  const tokenOwner = targets.find((user) => !mayCreate(array, user));
  if (tokenOwner !== undefined) return resourceError(tokenOwner.username, 'API token already exists.');
  const created = targets.map((user) => createToken(array, user, timeout));
  return json(200, { items: created.map((user) => adminTokenItem(user, user.apiToken)) });
}

export function deleteApiTokens(request: ApiRequest, array: SimulatedArray, session: SimulatedSession): Reply {
  const targets = findTargets(request, array, session);
  if (!Array.isArray(targets)) return targets;
  for (const user of targets) deleteToken(array, user);
  return empty(200);
}

export function listApiTokens(request: ApiRequest, array: SimulatedArray): Reply {
  const targets = named(request, array);
  if (!Array.isArray(targets)) return targets;
  const owners = targets.filter(({ apiToken }) => apiToken !== '');
  const items = owners.map((user) => ({ name: user.username, ...adminTokenItem(user, MASK) }));
  return listItems({ ...request, query: withoutNames(request.query) }, items);
}

/** Selects admins by `admin_names`. If the parameter is absent, the request applies to every admin. `names` is ignored. */
function named({ query }: ApiRequest, { users }: SimulatedArray): UserRecord[] | Reply {
  const names = query.get('admin_names')?.split(',');
  if (names === undefined) return [...users.all()];
  const missing = names.find((name) => users.named(name) === undefined);
  return missing === undefined ? users.all().filter((user) => names.includes(user.username)) : noSuchResource(missing);
}

function findTargets(request: ApiRequest, array: SimulatedArray, session: SimulatedSession): UserRecord[] | Reply {
  const targets = named(request, array);
  if (!Array.isArray(targets)) return targets;
  const isAdmin = (array.users.named(session.username)?.role ?? 'array_admin') === 'array_admin';
  const allowed = isAdmin || targets.every(({ username }) => username === session.username);
  return allowed ? targets : accessDenied(403, request.path);
}

function withoutNames(query: URLSearchParams): URLSearchParams {
  const rest = new URLSearchParams(query);
  rest.delete('names');
  return rest;
}

const isTimeout = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

const mayCreate = ({ settings }: SimulatedArray, user: UserRecord): boolean =>
  settings.createExistingToken === 'replace' || user.apiToken === '';

function createToken(array: SimulatedArray, user: UserRecord, timeoutMs: number | undefined): UserRecord {
  if (user.apiToken !== '') endSessions(array, user);
  return array.users.createToken(user, timeoutMs);
}

function deleteToken(array: SimulatedArray, user: UserRecord): UserRecord {
  endSessions(array, user);
  return array.users.deleteToken(user);
}

function endSessions({ sessions, settings }: SimulatedArray, { username }: UserRecord): void {
  if (!settings.sessionsOutliveToken) sessions.endOf(username, 'token deleted');
}

const expiry = <Key extends string>(key: Key, { expiresAt }: UserRecord) =>
  expiresAt === undefined ? {} : { [key]: expiresAt };

const oldToken = (user: UserRecord) => ({ created: user.tokenCreatedAt, ...expiry('expires', user), token: MASK });
const oldItem = (user: UserRecord) => ({
  name: user.username,
  ...(user.apiToken === '' ? {} : { api_token: oldToken(user) }),
});

const tokenItem = (user: UserRecord, token = MASK) => ({
  created_at: user.tokenCreatedAt,
  ...expiry('expires_at', user),
  token,
});
const adminTokenItem = (user: UserRecord, token: string) => ({
  admin: { name: user.username },
  api_token: tokenItem(user, token),
});
