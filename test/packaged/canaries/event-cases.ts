/** Cases in which a caller sends a token inside an invalid event. */
import { released, requested } from '../../kit/memory/messages.ts';
import type { FunctionName } from '../../kit/packaged.ts';
import { batch, type Case, READ } from './asking.ts';

/** Invalid events, each with a token in the invalid part. */
const EVENTS_WITH_TOKEN: readonly (readonly [FunctionName, (token: string, name: string) => unknown])[] = [
  ['login', (token) => token],
  ['login', (token) => [token]],
  ['login', (token) => ({ array: token })],
  ['login', (token, array) => ({ array, leaseId: `${token} x` })],
  ['login', (token, array) => ({ array, leaseSeconds: token })],
  ['login', (token, array) => ({ array, owner: { [token]: token } })],
  ['login', (token, array) => ({ array, apiToken: token })],
  ['login', (token, array) => ({ array, [token]: token })],
  ['logout', (token) => ({ leaseId: [token] })],
  ['logout', (authToken) => ({ authToken })],
  ['renew', (token, leaseId) => ({ leaseId, expiresAt: token })],
  ['call-array', (token, leaseId) => ({ leaseId, method: token, path: READ.path })],
  ['call-array', (token, leaseId) => ({ leaseId, method: 'GET', path: `/api/2.15/arrays/../${token}` })],
  ['call-array', (token, leaseId) => ({ leaseId, ...READ, query: { [token]: [token] } })],
  ['call-array', (token, leaseId) => ({ leaseId, method: 'POST', path: READ.path, body: { token } })],
  ['check-fleet', (token) => ({ arrays: [token] })],
  ['check-fleet', (token) => ({ arrays: token, [token]: 1 })],
  ['session-events', (token) => batch({ messageId: 'not-json', body: token })],
  ['session-events', (token) => batch({ messageId: 'cut-off', body: `{"detail":{"array":"${token}` })],
  ['session-events', (token) => batch(requested({ array: 'fb1', apiToken: token }, 'with-token'))],
  ['session-events', (token) => batch(requested({ array: token }, 'for-name'))],
  ['session-events', (token) => batch(released({ leaseId: { token } }, 'released'))],
];

export const eventCases = (): Case[] =>
  EVENTS_WITH_TOKEN.map(([of, eventOf], index) => ({
    what: `${of}: an invalid event contains a token (${index})`,
    run: async (w, name) => {
      await w.invoke(of, eventOf(w.apiToken, name));
    },
  }));
