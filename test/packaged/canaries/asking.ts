/** What a case is, and which function sends which request to an array. */
import type { Message } from '../../../lib/leases/dispatch.ts';
import { sqsEventOf } from '../../kit/aws/sqs-event.ts';
import { requested } from '../../kit/memory/messages.ts';
import type { World } from './world.ts';

/** `name` is an array of the fleet with a valid secret, and also a lease id. Only this case uses it. */
export type Case = { readonly what: string; readonly run: (w: World, name: string) => Promise<unknown> };

export const READ = { method: 'GET', path: '/api/2.15/arrays' } as const;

/** An SQS event. */
export const batch = (...messages: readonly Message[]) => sqsEventOf(messages);

export const open = (w: World, name: string) => w.invoke('login', { array: name, leaseId: name });

/** The auth token of the newest session. */
export const newest = ({ array }: World): string => array.opened.at(-1) ?? '';

export type Ask = { readonly path: string; readonly ask: (w: World, name: string) => Promise<unknown> };

/** Functions that send a request to the array, and the path of that request. */
export const ASKING = {
  login: { path: '/api/login', ask: open },
  logout: { path: '/api/logout', ask: (w, name) => w.invoke('logout', { leaseId: name }) },
  'call-array': { path: READ.path, ask: (w, name) => w.invoke('call-array', { leaseId: name, ...READ }) },
  'session-events': {
    path: '/api/login',
    ask: (w, name) => w.invoke('session-events', batch(requested({ array: name, leaseId: name }, name))),
  },
  'check-fleet': { path: '/api/api_version', ask: (w, name) => w.invoke('check-fleet', { arrays: [name] }) },
} as const satisfies Readonly<Record<string, Ask>>;
