/** The `/api/login` and `/api/logout` endpoints. Where the behavior of real arrays is unknown, options.ts makes it configurable. */
import type { ApiRequest, SimulatedArray } from './array.ts';
import { accessDenied, empty, json, pathError, type Reply } from './reply.ts';
import type { SimulatedSession } from './sessions.ts';
import type { UserRecord } from './users.ts';
import { supports } from './versions.ts';

const PASSWORD_LOGIN_SINCE = '2.26';

type Login = { readonly user: UserRecord; readonly method: SimulatedSession['method'] };

export function login(request: ApiRequest, array: SimulatedArray): Reply {
  if (isLockedOut(array)) return refused(request, array);
  const found = findLogin(request, array);
  if (found === undefined) {
    countRefusal(array);
    return refused(request, array);
  }
  array.lockout.refusals = 0;
  const { maxSessions } = array.settings;
  if (maxSessions > 0 && array.sessions.alive().length >= maxSessions) {
    return pathError(500, request.path, 'Server is busy');
  }
  const { username } = found.user;
  const requestId = request.headers['x-request-id'];
  const session = array.sessions.open({ username, method: found.method, location: request.location, requestId });
  return json(200, { username }, { 'x-auth-token': session.authToken });
}

export function logout(request: ApiRequest, array: SimulatedArray): Reply {
  const authToken = request.headers['x-auth-token'];
  const ended = authToken !== undefined && array.sessions.end(authToken, 'logout');
  return ended ? empty(200) : accessDenied(array.settings.deadSessionStatus, request.path);
}

function findLogin(request: ApiRequest, { users, settings }: SimulatedArray): Login | undefined {
  const apiToken = request.headers['api-token'];
  if (apiToken !== undefined) {
    const user = users.ofApiToken(apiToken);
    return user && { user, method: 'API token' };
  }
  if (!supports(settings.versions, PASSWORD_LOGIN_SINCE)) return undefined;
  const { username, password } = jsonObject(request.body);
  const user = typeof username === 'string' ? users.named(username) : undefined;
  return user?.password !== undefined && user.password === password ? { user, method: 'password' } : undefined;
}

/** Parses the JSON object in a body. Returns an empty object if the body is anything else. */
export function jsonObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}

const isLockedOut = ({ lockout, settings }: SimulatedArray): boolean => settings.now() < lockout.until;

const refused = ({ path }: ApiRequest, { settings }: SimulatedArray): Reply =>
  accessDenied(settings.refusedLoginStatus, path);

function countRefusal({ lockout, settings }: SimulatedArray): void {
  lockout.refusals += 1;
  if (settings.maxLoginAttempts === 0 || lockout.refusals < settings.maxLoginAttempts) return;
  lockout.until = settings.now() + settings.lockoutMs;
  lockout.refusals = 0;
}
