/** Large fleets, of which one array in twenty is dead in one of several ways. All others are checked, and nothing is left behind. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { FlashBladeError } from '../../lib/core/errors.ts';
import { mapLimit } from '../../lib/core/map-limit.ts';
import { apiToken } from '../../lib/core/model.ts';
import {
  apiVersionsWithHttpInfo,
  loginWithHttpInfo,
  logoutWithHttpInfo,
  request,
} from '../../lib/flashblade/client.ts';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { checkFleet } from '../../lib/fleet/check.ts';
import { checkPart, concludeCheck, type FleetPart, planCheck } from '../../lib/fleet/parts.ts';
import type { Ports } from '../../lib/leases/ports.ts';
import { createAuthority } from '../../simulator/certificates.ts';
import { type Fault, type Simulator, startSimulator } from '../../simulator/index.ts';
import { unreachable, type World, world } from '../kit/memory/world.ts';

const FLEET = 1000;
/** `PROVE=1` in the environment: as many real listeners as there are arrays in the fleet. */
const LISTENERS = process.env['PROVE'] === '1' ? FLEET : 60;
const ONE_IN = 20;
const FUNCTION_MS = 300_000;

const namesOf = (count: number) => Array.from({ length: count }, (_, n) => `array-${String(n).padStart(5, '0')}`);
const isDead = (n: number): boolean => n % ONE_IN === ONE_IN - 1;

/** Every ledger item that is not closed. */
const unclosed = ({ store }: World) => [...store.items.values()].filter(({ dueAt }) => dueAt !== undefined);

describe('a fleet in memory', () => {
  const DEATHS: ((w: World) => unknown)[] = [
    () => unreachable(false),
    (w) => {
      w.pass(10);
      return unreachable(true);
    },
    () => new FlashBladeError('ANSWER_INVALID', 'no FlashBlade responds like this', { sent: true }),
  ];

  /** A fleet of this size, and the names of its dead arrays. */
  function fleetOf(count: number) {
    const w = world();
    const names = namesOf(count);
    const deaths = new Map(names.filter((_, n) => isDead(n)).map((name, n) => [name, DEATHS[n % DEATHS.length]]));
    for (const name of names) w.addArray(name);
    const list = async ({ prefix = '' }) => names.filter((name) => name.startsWith(prefix));
    const ports: Ports = {
      ...w.ports,
      secrets: { ...w.ports.secrets, list },
      flashblade: {
        ...w.ports.flashblade,
        apiVersions: async (array, options) => {
          const death = deaths.get(array.name);
          if (death) throw death(w);
          return w.ports.flashblade.apiVersions(array, options);
        },
      },
    };
    return { w, names, ports, dead: [...deaths.keys()] };
  }

  it(`a check of ${FLEET} arrays reports the healthy ones as healthy and lists the dead ones by name`, async () => {
    const { w, names, ports, dead } = fleetOf(FLEET);
    const startedAt = w.now();
    const result = await checkFleet(ports, { arrays: names }, startedAt + FUNCTION_MS);
    expect(w.now() - startedAt).toBeLessThan(FUNCTION_MS);
    expect(result).toMatchObject({ checked: FLEET, healthy: FLEET - dead.length, warnings: [], unknownSessions: 0 });
    expect(result.unhealthy.map(({ array }) => array)).toEqual(dead);
    expect(w.reports.filter(({ event }) => event === 'ArrayChecked')).toHaveLength(FLEET - dead.length);
    expect(w.live.size).toBe(0);
    expect(unclosed(w)).toEqual([]);
  });

  it.each([
    ['', Number.POSITIVE_INFINITY],
    [', although AWS throttles one call in 97', 97],
  ])(
    '10,000 arrays are checked in parts: no false alarm, one summary, and nothing is left behind%s',
    {
      timeout: FUNCTION_MS,
    },
    async (_, oneIn) => {
      const { w, names, ports: well, dead } = fleetOf(10_000);
      let calls = 0;
      const throttled = (): boolean => ++calls % oneIn === 0;
      const ports: Ports = {
        ...well,
        secrets: {
          ...well.secrets,
          read: async (...of) => {
            if (throttled()) throw new FlashBladeError('SECRET_UNAVAILABLE', 'AWS returned ThrottlingException');
            return well.secrets.read(...of);
          },
        },
        seal: {
          ...well.seal,
          dataKey: async (...of) => {
            if (throttled()) throw new FlashBladeError('AWS_UNAVAILABLE', 'AWS returned ThrottlingException');
            return well.seal.dataKey(...of);
          },
        },
      };
      const plan = await planCheck(ports, w.now() + FUNCTION_MS);
      const results: unknown[] = [];
      let invocations = 0;
      for (const planned of plan.parts) {
        let part: FleetPart | undefined = planned;
        while (part !== undefined) {
          invocations += 1;
          const result: unknown = await checkPart(ports, part, w.now() + FUNCTION_MS);
          part = (result as { part?: FleetPart }).part;
          if (part === undefined) results.push(result);
        }
      }
      const found = concludeCheck(ports, { ...plan, results });
      expect(plan.parts).toHaveLength(20);
      expect(invocations >= 2 * plan.parts.length).toBe(oneIn === 97);
      expect(found).toMatchObject({ checked: names.length, healthy: names.length - dead.length, notChecked: 0 });
      const alarmed = w.reports.flatMap(({ event, array = '' }) => (event === 'ArrayUnhealthy' ? [array] : []));
      expect(alarmed.sort()).toEqual(dead);
      expect(w.reports.filter(({ event }) => event === 'FleetChecked')).toHaveLength(1);
      expect(found.unhealthy.length + (found.omitted ?? 0)).toBe(dead.length);
      expect(Buffer.byteLength(JSON.stringify({ ...plan, results }))).toBeLessThan(256 * 1024);
      expect([w.live.size, unclosed(w)]).toEqual([0, []]);
    },
  );
});

describe('a fleet of real listeners', () => {
  const FAULTS: Fault[] = [
    { kind: 'refuse' },
    { kind: 'hang-in-handshake' },
    { kind: 'garbage' },
    { kind: 'hang', at: 'before-headers' },
  ];
  const budget = { connectTimeoutMs: 2000, firstByteTimeoutMs: 3000, timeoutMs: 10_000 };

  async function startFleet(names: readonly string[]): Promise<ReadonlyMap<string, Simulator>> {
    const fleet = new Map<string, Simulator>();
    onTestFinished(async () => {
      closeConnections();
      await Promise.all([...fleet.values()].map(({ stop }) => stop()));
    });
    const authority = await createAuthority();
    const certificate = { ...(await authority.issue()), ca: authority.certificate };
    await mapLimit(names, 8, async (name) => void fleet.set(name, await startSimulator({ name, certificate })));
    return fleet;
  }

  it(`a check of ${LISTENERS} arrays over TLS reports the healthy ones and lists the dead ones by name`, {
    timeout: FUNCTION_MS,
  }, async () => {
    const w = world();
    const names = namesOf(LISTENERS);
    const fleet = await startFleet(names);
    const of = (name: string): Simulator => fleet.get(name) as Simulator;
    const dead = names.filter((_, n) => isDead(n));
    for (const [n, name] of dead.entries()) of(name).faults.add(FAULTS[n % FAULTS.length] as Fault);
    const ports: Ports = {
      ...w.ports,
      now: Date.now,
      secrets: {
        list: async () => names,
        read: async (name) => {
          const { host, port, certificate: ca, apiToken: token } = of(name);
          return { array: { name, host, port, trust: { kind: 'ca', ca } }, apiToken: apiToken(token), versionId: 'v1' };
        },
      },
      flashblade: {
        login: (array, token, options) => loginWithHttpInfo(array, token, { ...budget, ...options }),
        logout: (session, options) => logoutWithHttpInfo(session, { ...budget, ...options }),
        apiVersions: (array, options) => apiVersionsWithHttpInfo(array, { ...budget, ...options }),
        request: (session, call, options) => request(session, call, { ...budget, ...options }),
      },
    };
    const result = await checkFleet(ports, {}, Date.now() + FUNCTION_MS);
    expect(result).toMatchObject({ checked: LISTENERS, healthy: LISTENERS - dead.length, unknownSessions: 0 });
    expect(result.unhealthy.map(({ array }) => array)).toEqual(dead);
    const healthy = names.filter((name) => !dead.includes(name));
    for (const name of healthy) expect(of(name).history.map(({ ended }) => ended?.by)).toEqual(['logout']);
    for (const name of dead) expect(of(name).history).toEqual([]);
    expect(unclosed(w)).toEqual([]);
  });
});
