import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { exchange } from '../../lib/edges/flashblade/transport.ts';
import { FlashBladeError } from '../../lib/ground/errors.ts';
import { connect, functionClosingEdges, functionConfig, functionEdges, invoke } from '../../lib/lambda/invocation.ts';
import { arrayAt, startServer } from '../client/servers.ts';
import { contextOf } from './context.ts';
import { written } from './written.ts';

const busy = () => {
  throw new FlashBladeError('ARRAY_BUSY', 'array fb1 is busy', { status: 503 });
};

describe('an invocation', () => {
  it('works on the request that was checked, until the time of the function is over', async () => {
    const { lines } = written();
    const before = Date.now();
    const result = await invoke(
      contextOf('invocation-1', 9000),
      () => ({ leaseId: 'job-1' }),
      async (request, deadline) => ({ request, deadline }),
    );
    expect(result.request).toEqual({ leaseId: 'job-1' });
    expect(result.deadline).toBeGreaterThanOrEqual(before + 9000);
    expect(result.deadline).toBeLessThanOrEqual(Date.now() + 9000);
    expect(lines()).toEqual([]);
  });

  it('that fails throws the error and reports it once, with lease and array', async () => {
    const { lines } = written();
    const request = { leaseId: 'job-1', array: 'fb1', owner: 'nightly' };
    await expect(invoke(contextOf('invocation-2'), () => request, busy)).rejects.toMatchObject({ name: 'ARRAY_BUSY' });
    expect(lines()).toEqual([
      expect.objectContaining({
        event: 'InvocationFailed',
        leaseId: 'job-1',
        array: 'fb1',
        code: 'ARRAY_BUSY',
        status: 503,
        message: 'array fb1 is busy',
      }),
    ]);
    expect(lines()[0]).not.toHaveProperty('owner');
  });

  it('whose report fails throws its own error all the same', async () => {
    written();
    vi.mocked(console.warn).mockImplementation(() => {
      throw new Error('EPIPE');
    });
    await expect(invoke(contextOf('invocation-6'), () => ({}), busy)).rejects.toMatchObject({ name: 'ARRAY_BUSY' });
  });

  it('whose request has neither lease nor array reports neither', async () => {
    const { lines } = written();
    await expect(invoke(contextOf('invocation-3'), () => ({}), busy)).rejects.toThrow('array fb1 is busy');
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).not.toHaveProperty('leaseId');
    expect(lines()[0]).not.toHaveProperty('array');
  });

  it('reports a request that breaks a rule without a word of it', async () => {
    const { lines } = written();
    const parse = (): object => {
      throw new FlashBladeError('REQUEST_INVALID', 'login request: array is missing');
    };
    await expect(invoke(contextOf('invocation-4'), parse, async () => 1)).rejects.toThrow('array is missing');
    expect(lines()).toMatchObject([{ code: 'REQUEST_INVALID', message: 'login request: array is missing' }]);
  });

  it('that meets a bug is INTERNAL and quotes nothing', async () => {
    const { lines } = written();
    const work = async () => JSON.parse('T-00000000-secret');
    await expect(invoke(contextOf('invocation-5'), () => ({}), work)).rejects.toMatchObject({ name: 'INTERNAL' });
    expect(JSON.stringify(lines())).not.toContain('T-0000');
  });

  it('leaves no connection open, neither when it succeeds nor when it fails', async () => {
    written();
    const server = await startServer();
    const ask = async () => exchange(arrayAt(server), { method: 'GET', path: '/api/api_version' });
    await invoke(contextOf('invocation-6'), () => ({}), ask);
    await server.quiet();
    const fail = async () => {
      await ask();
      return busy();
    };
    await expect(invoke(contextOf('invocation-7'), () => ({}), fail)).rejects.toThrow('busy');
    await server.quiet();
    expect(server.requests).toHaveLength(2);
  });
});

describe('a function that starts', () => {
  it('asks the ledger for a lease that is none', async () => {
    const read = vi.fn(async () => undefined);
    vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    await connect({ leases: { read } } as never);
    expect(read).toHaveBeenCalledExactlyOnceWith('lease#', 1_800_000_001_000);
  });

  it('starts without the ledger, too: its first invocation tells', async () => {
    const read = () => Promise.reject(new FlashBladeError('AWS_UNAVAILABLE', 'no'));
    await connect({ leases: { read } } as never);
  });
});

describe('what a function has', () => {
  const ENVIRONMENT = { LEASE_TABLE: 'leases', LEASE_KEY: 'alias/leases', AWS_REGION: 'eu-central-1' };

  function environment(changes: Readonly<Record<string, string>> = {}): void {
    onTestFinished(() => void vi.unstubAllEnvs());
    for (const [name, value] of Object.entries({ ...ENVIRONMENT, ...changes })) vi.stubEnv(name, value);
  }

  it('comes from its environment', () => {
    environment({ SESSIONS_PER_ARRAY: '7', ARRAY_IDLE_SECONDS: '900', MAX_LEASE_SECONDS: '3600' });
    expect(functionConfig()).toMatchObject({ LEASE_TABLE: 'leases', SESSIONS_PER_ARRAY: 7 });
    const limits = { sessionsPerArray: 7, arrayIdleSeconds: 900, maxLeaseSeconds: 3600 };
    expect(functionEdges().limits).toEqual(limits);
    expect(functionClosingEdges().limits).toEqual(limits);
  });

  it('is nothing if a variable is missing', () => {
    environment({ LEASE_TABLE: '' });
    for (const make of [functionConfig, functionEdges, functionClosingEdges]) {
      expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
  });

  it('reads API tokens only if it opens sessions', () => {
    environment();
    expect(functionEdges()).toHaveProperty('secrets');
    expect(functionClosingEdges()).not.toHaveProperty('secrets');
  });

  it('reports to the log', () => {
    environment();
    const { lines } = written();
    functionEdges().report({ event: 'LeaseServed', message: 'one' });
    functionClosingEdges().report({ event: 'LeaseServed', message: 'two' });
    expect(lines()).toMatchObject([{ message: 'one' }, { message: 'two' }]);
  });
});
