/** Stampede: many calls for one array at once open no more sessions than its limit. */
import { openSession } from '../../lib/leases/open.ts';
import { parseLoginRequest } from '../../lib/leases/requests.ts';
import { deploy } from '../kit/deploy.ts';
import { unknownSessions } from '../packaged/functions/unknown-sessions.ts';
import { tell } from './controls.ts';
import type { openAtOnce } from './stampede-program.ts';
import { DIMENSIONS } from './world/dimensions.ts';
import { wrongNow } from './world/invariants.ts';
import { randomOf } from './world/random.ts';
import { weatherOf } from './world/weather.ts';
import { type World, worldOf } from './world/world.ts';

const TIMEOUT_MS = 30_000;

type Stampede = { readonly seed: number; readonly calls?: number; readonly leases?: number; readonly limit?: number };

/**
 * Makes `calls` calls at once, which request `leases` different leases of an array with this session limit. `most`: the highest number of
 * live sessions at any moment. `codes`: how often each kind of event happened.
 */
export async function stampede({ seed, calls = 500, leases = calls, limit = 50 }: Stampede) {
  const random = randomOf(seed);
  // Nothing fails; only the order of the processes is random.
  const weather = weatherOf(random, DIMENSIONS.plain);
  weather.clear();
  const codes = new Map<string, number>();
  let [opened, most, wrong] = [0, 0, undefined as string | undefined];
  const world: World = worldOf({
    ...{ random, weather, features: DIMENSIONS.plain, idleSeconds: 1800 },
    limits: { sessionsPerArray: limit, arrayIdleSeconds: 1800, maxLeaseSeconds: 86_400 },
    onEffect: ({ arrays }) => {
      const alive = arrays.live().length;
      if (alive === most) return;
      most = Math.max(most, alive);
      wrong ??= wrongNow(world);
    },
    count: (what) => void codes.set(what, (codes.get(what) ?? 0) + 1),
  });
  world.arrays.accept('fb1', world.secrets.change('fb1', {}).token);
  for (let call = 0; call < calls; call++) {
    world.start(`call ${call}`, TIMEOUT_MS, async ({ ports, deadline }) => {
      await openSession(ports, parseLoginRequest({ array: 'fb1', leaseId: `job-${call % leases}` }, ''), deadline);
      opened += 1;
    });
  }
  await world.clock.runUntil(world.clock.now() + TIMEOUT_MS);
  wrong ??= world.faults[0];
  return { opened, most, codes, wrong };
}

export const LIMIT = 10;
const CALLS = 30;
/** From the project's root. */
export const PROGRAM = 'test/proofs/stampede-program.ts';
/** On a busy machine, all calls at once may take longer than the timeouts for one array call. */
const PATIENT = { CONNECT_TIMEOUT_MS: '20000', FIRST_BYTE_TIMEOUT_MS: '20000', ANSWER_TIMEOUT_MS: '20000' };

/** The stampede over real ports: a program with the AWS stand-ins and a simulated array. */
export async function stampedeOutside(program = PROGRAM) {
  await using cleanUp = new AsyncDisposableStack();
  const d = cleanUp.adopt(await deploy({ functions: [] }), ({ stop }) => stop());
  d.addArray('fb1');
  let most = 0;
  d.watchArray(() => {
    most = Math.max(most, d.simulator.sessions().length);
  });
  const env = { ...d.env, ...PATIENT, SESSIONS_PER_ARRAY: String(LIMIT) };
  const result = await tell<Awaited<ReturnType<typeof openAtOnce>>>(program, 'openAtOnce', ['fb1', CALLS], env);
  const unknown = (await unknownSessions(d)).length;
  const left = d.simulator.sessions().length;
  const wrong = [
    ...(most > LIMIT ? [`${most} sessions were alive at once`] : []),
    ...(unknown > 0 ? [`${unknown} sessions are not in the ledger`] : []),
    ...(left > 0 ? [`${left} sessions are open after their leases were closed`] : []),
  ];
  return { ...result, most, wrong };
}
