/** While a stack is updated or rolled back, functions of two versions work on the same leases. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { failuresIn, leftIn } from './checks.ts';
import { bundlesOf, CONTROLS, type Control, INTERLEAVING_CONTROLS } from './controls.ts';
import { interleave } from './interleaving.ts';
import { changed, readBundles, readManifest, unpackPrevious } from './previous.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Actors } from './steps.ts';
import { startWorld, type World } from './world.ts';

let directory: string;
let previous: ReturnType<typeof unpackPrevious>;
let w: World;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'flashblade-previous-'));
  previous = unpackPrevious(directory);
  w = await startWorld(previous);
});

afterAll(async () => {
  await w.stop();
  rmSync(directory, { recursive: true });
});

/** Runs a scenario. In the end no session, slot or lease may be left, and no function may have logged a failure of its own. */
async function prove(title: string, actors: Actors): Promise<void> {
  const { w, name } = actors;
  await w.reset();
  w.addArray(name);
  const before = failuresIn(w);
  await SCENARIOS[title]?.(actors);
  expect([...(await leftIn(w)), ...failuresIn(w, before)]).toEqual([]);
}

describe.each([
  ['previous', 'today'],
  ['today', 'previous'],
] as const)('what version "%s" leaves, version "%s"', (leaves, acts) => {
  test.each(Object.keys(SCENARIOS))('%s', async (title) => {
    const name = `${leaves}-${Object.keys(SCENARIOS).indexOf(title)}`;
    await prove(title, { w, a: w[leaves], b: w[acts], name });
  });
});

test.each([1])(
  'at work on the same leases at the same time, both versions lose no session, keep the limit, and close everything (seed %i)',
  async (seed) => {
    expect(await interleave(w, { seed, calls: 200 })).toEqual([]);
  },
);

describe('the test fails if', () => {
  const startChanged = async (control: Control): Promise<World> => {
    const { bundles, remove } = await bundlesOf(control);
    onTestFinished(async () => void (await remove()));
    const world = await startWorld(previous, bundles);
    onTestFinished(world.stop);
    return world;
  };

  test.each(Object.entries(CONTROLS))('%s', async (_, control) => {
    const changed = await startChanged(control);
    const { today, previous } = changed;
    await prove(control.scenario, { w: changed, a: today, b: today, name: 'alone' });
    const outcome = prove(control.scenario, { w: changed, a: today, b: previous, name: 'together' });
    expect(await outcome.catch(String)).toMatch(control.complaint);
  });

  test.each(Object.entries(INTERLEAVING_CONTROLS))('%s', async (_, control) => {
    const wrong = await interleave(await startChanged(control), { seed: 1, calls: 150 });
    expect(wrong.join('\n')).toMatch(control.complaint);
  });

  test('a kept function is changed, missing or added', () => {
    const bundles = readBundles();
    const manifest = readManifest();
    expect(changed(bundles, manifest)).toEqual([]);
    const { login: _, ...others } = bundles;
    expect(changed({ ...bundles, logout: `${bundles['logout']} ` }, manifest)).toEqual(['logout']);
    expect(changed({ ...others, another: '' }, manifest)).toEqual(['another', 'login']);
  });
});
