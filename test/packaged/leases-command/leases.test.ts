/** `npm run leases` in its own process, against the stand-ins and a simulated array. */
import { execFile } from 'node:child_process';
import { devNull } from 'node:os';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createPorts } from '../../../lib/compose.ts';
import { readConfig } from '../../../lib/core/config.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { openSession } from '../../../lib/leases/open.ts';
import type { Ports } from '../../../lib/leases/ports.ts';
import { ROOT } from '../../../scripts/build.ts';
import type { Simulator } from '../../../simulator/index.ts';
import { type Deployment, deploy } from '../../kit/deploy.ts';
import { tokensIn } from '../../kit/leaks.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

let d: Deployment;
let array: Simulator;
let ports: Ports;
let printed = '';

beforeAll(async () => {
  d = await deploy({ functions: [] });
  array = d.simulator;
  for (const [name, value] of Object.entries(d.env)) vi.stubEnv(name, value);
  ports = createPorts(readConfig(d.env), () => {});
  for (const name of ['fb1', 'fb2', 'fb3']) d.addArray(name);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  closeConnections();
  await d.stop();
});

const open = (array: string, leaseId: string, owner?: string) =>
  openSession(
    ports,
    { array, leaseId, leaseSeconds: 3600, ...(owner === undefined ? {} : { owner }) },
    Date.now() + 30_000,
  );

/** Passes only the stand-ins to the process, not the environment of the test. */
function leases(args: readonly string[], changes: Record<string, string> = {}): Promise<Ended> {
  const nowhere = { AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull };
  const options = { env: { ...d.env, ...nowhere, ...changes }, timeout: 50_000 };
  return new Promise((done) => {
    execFile(process.execPath, [resolve(ROOT, 'scripts/leases.ts'), ...args], options, (error, stdout, stderr) => {
      printed += stdout + stderr;
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('npm run leases', () => {
  it('lists all live leases and SUSPECTs, as a table and as JSON', async () => {
    await open('fb1', 'job-1', 'nightly');
    array.faults.add({ kind: 'reset', path: '/api/login', times: 1 });
    await open('fb2', 'lost').catch(() => {});
    const [asTable, asJson, ofOne] = await Promise.all([
      leases(['list']),
      leases(['list', '--json']),
      leases(['list', '--json', '--array', 'fb1']),
    ]);
    expect(asTable).toMatchObject({ code: 0, stderr: '' });
    const rows = asTable.stdout.trim().split('\n');
    expect(rows).toHaveLength(3);
    expect(rows[1]).toMatch(/^job-1 +fb1 +pureuser +OPEN +nightly +59 min +-$/);
    expect(rows[2]).toMatch(/^lost +fb2 +- +SUSPECT +- +\d+ min +-$/);
    const lines = JSON.parse(asJson.stdout);
    expect(lines).toEqual([
      {
        leaseId: 'job-1',
        array: 'fb1',
        username: 'pureuser',
        state: 'OPEN',
        owner: 'nightly',
        endsAt: expect.any(Number),
      },
      { leaseId: 'lost', array: 'fb2', state: 'SUSPECT', endsAt: expect.any(Number) },
    ]);
    expect(JSON.parse(ofOne.stdout)).toEqual([lines[0]]);
  });

  it('shows one lease without its token, and closes it', async () => {
    await open('fb1', 'job-2');
    const shown = JSON.parse((await leases(['show', 'job-2', '--json'])).stdout);
    expect(shown).toMatchObject({ leaseId: 'job-2', state: 'OPEN', target: { name: 'fb1' } });
    expect(shown).not.toHaveProperty('sealed');
    const before = array.sessions().length;
    expect(await leases(['close', 'job-2'])).toEqual({ code: 0, stdout: 'job-2  CLOSED\n', stderr: '' });
    expect(array.sessions()).toHaveLength(before - 1);
    expect((await leases(['show', 'job-2'])).stdout).toMatch(/^state +CLOSED$/m);
  });

  it('closes all leases of one array, reports which failed, and can be repeated', async () => {
    for (const leaseId of ['a', 'b', 'c']) await open('fb3', leaseId);
    const before = array.sessions().length;
    array.faults.add({ kind: 'answer', act: false, status: 503, path: '/api/logout', times: 1 });
    const first = await leases(['close', '--array', 'fb3', '--json']);
    expect(first.code).toBe(1);
    const results: { leaseId: string; code?: string; outcome?: string }[] = JSON.parse(first.stdout);
    expect(results.map(({ leaseId }) => leaseId)).toEqual(['a', 'b', 'c']);
    expect(results.map(({ code, outcome }) => code ?? outcome).sort()).toEqual(['ARRAY_BUSY', 'CLOSED', 'CLOSED']);
    const failed = results.find(({ code }) => code !== undefined)?.leaseId;
    expect(await leases(['close', '--array', 'fb3'])).toEqual({ code: 0, stdout: `${failed}  CLOSED\n`, stderr: '' });
    expect(array.sessions()).toHaveLength(before - 3);
  });

  it('refuses an unknown lease id and writes nothing to the ledger', async () => {
    for (const args of [
      ['close', 'typo'],
      ['show', 'typo'],
    ]) {
      const { code, stdout, stderr } = await leases(args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^LEASE_UNKNOWN: the ledger has no lease typo; /);
    }
    expect(await ports.store.read('lease#typo', Date.now() + 5000)).toBeUndefined();
  });

  it('exits with 2 for invalid arguments or environment and with 1 for failures, and names the next step', async () => {
    const [wrong, missing, down, help] = await Promise.all([
      leases(['close']),
      leases(['list'], { LEASE_TABLE: '' }),
      leases(['list'], { LEASE_TABLE: 'no-such-table' }),
      leases(['--help']),
    ]);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/^use list, .*\n\nnpm run leases/);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toMatch(/^CONFIG_INVALID: environment variable LEASE_TABLE must be set/);
    expect(down).toMatchObject({ code: 1, stdout: '' });
    expect(down.stderr).toMatch(
      /^AWS_UNAVAILABLE: could not read the lease table: AWS returned ResourceNotFoundException .*Check that LEASE_TABLE /,
    );
    expect(help).toMatchObject({ code: 0, stderr: '' });
  });

  it('never prints a token', () => {
    expect(printed).toContain('job-1');
    expect(tokensIn(printed, d.tokens())).toEqual([]);
  });
});
