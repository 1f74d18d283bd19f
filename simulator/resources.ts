/** Read-only endpoints for the array, file systems, snapshots and sessions. All data is fixed, except for the sessions. */
import { createHash } from 'node:crypto';
import type { ApiRequest, SimulatedArray } from './array.ts';
import { listItems, listItemsOldWay } from './pages.ts';
import type { Reply } from './reply.ts';
import type { SimulatedSession } from './sessions.ts';

const GIB = 2 ** 30;
const DAY_MS = 86_400_000;
/** 2025-01-01, in milliseconds since the epoch. */
const INSTALLED_AT = 1_735_689_600_000;

const FILE_SYSTEMS = [
  { name: 'home', gibibytes: 512, createdAt: INSTALLED_AT },
  { name: 'projects', gibibytes: 2048, createdAt: INSTALLED_AT + DAY_MS },
  { name: 'render', gibibytes: 8192, createdAt: INSTALLED_AT + 2 * DAY_MS },
  { name: 'scratch', gibibytes: 1024, createdAt: INSTALLED_AT + 3 * DAY_MS },
];
const SNAPSHOTS = ['home', 'projects'].flatMap((source) =>
  ['daily-1', 'daily-2'].map((suffix, day) => ({ source, suffix, createdAt: INSTALLED_AT + (day + 10) * DAY_MS })),
);

/** Derives a stable UUID from a name. */
function idOf(name: string): string {
  const digits = createHash('sha256').update(name).digest('hex');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

const arrayItem = ({ settings }: SimulatedArray) => ({
  name: settings.name,
  id: idOf(settings.name),
  os: 'Purity//FB',
  version: '4.6.2',
  revision: '7f3c2d1',
  time_zone: 'UTC',
});

export const listArraysOldWay = (request: ApiRequest, array: SimulatedArray): Reply =>
  listItemsOldWay(request, [arrayItem(array)]);

export const listArrays = (request: ApiRequest, array: SimulatedArray): Reply =>
  listItems(request, [
    {
      ...arrayItem(array),
      _as_of: array.settings.now(),
      banner: '',
      idle_timeout: array.settings.idleTimeoutMs,
      ntp_servers: [],
      smb_mode: 'native',
    },
  ]);

export const listFileSystemsOldWay = (request: ApiRequest): Reply =>
  listItemsOldWay(
    request,
    FILE_SYSTEMS.map(({ name, gibibytes, createdAt }) => ({
      name,
      created: createdAt,
      destroyed: false,
      provisioned: gibibytes * GIB,
      fast_remove_directory_enabled: false,
      snapshot_directory_enabled: true,
      nfs: { enabled: true, rules: '*(rw,no_root_squash)' },
      smb: { enabled: false },
      http: { enabled: false },
    })),
  );

export const listFileSystems = (request: ApiRequest): Reply =>
  listItems(
    request,
    FILE_SYSTEMS.map(({ name, gibibytes, createdAt }) => ({
      name,
      id: idOf(name),
      created: createdAt,
      destroyed: false,
      provisioned: gibibytes * GIB,
      fast_remove_directory_enabled: false,
      snapshot_directory_enabled: true,
      nfs: { v3_enabled: true, v4_1_enabled: true, rules: '*(rw,no_root_squash)' },
      smb: { enabled: false },
      http: { enabled: false },
      source: {},
    })),
  );

export const listSnapshotsOldWay = (request: ApiRequest): Reply =>
  listItemsOldWay(
    request,
    SNAPSHOTS.map(({ source, suffix, createdAt }) => ({
      name: `${source}.${suffix}`,
      created: createdAt,
      destroyed: false,
      source,
      suffix,
    })),
  );

export const listSnapshots = (request: ApiRequest): Reply =>
  listItems(
    request,
    SNAPSHOTS.map(({ source, suffix, createdAt }) => ({
      name: `${source}.${suffix}`,
      id: idOf(`${source}.${suffix}`),
      created: createdAt,
      destroyed: false,
      source: { name: source, id: idOf(source), resource_type: 'file-systems' },
      suffix,
    })),
  );

export const listSessions = (request: ApiRequest, { sessions }: SimulatedArray): Reply =>
  listItems(request, sessions.all().map(sessionItem));

const sessionItem = ({ id, username, method, location, startedAt, ended }: SimulatedSession) => ({
  id,
  name: id,
  user: username,
  user_interface: 'REST',
  method,
  event: 'user session',
  event_count: 1,
  start_time: startedAt,
  end_time: ended?.at ?? 0,
  location,
});
