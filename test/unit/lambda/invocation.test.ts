import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { exchange } from '../../../lib/flashblade/exchange.ts';
import {
  connect,
  functionClosingPorts,
  functionConfig,
  functionPorts,
  invoke,
} from '../../../lib/lambda/invocation.ts';
import { contextOf } from '../../kit/lambda/context.ts';
import { written } from '../../kit/lambda/written.ts';
import { arrayAt, startServer } from '../flashblade/servers.ts';

const busy = () => {
  throw new FlashBladeError('ARRAY_BUSY', 'array fb1 is busy', { status: 503 });
};

describe('an invocation', () => {
  it('passes the checked request and the deadline of the function to the work', async () => {
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

  it('that fails throws its error and reports it once, with lease and array', async () => {
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

  it('throws its own error even if the report of it fails', async () => {
    written();
    vi.mocked(console.warn).mockImplementation(() => {
      throw new Error('EPIPE');
    });
    await expect(invoke(contextOf('invocation-6'), () => ({}), busy)).rejects.toMatchObject({ name: 'ARRAY_BUSY' });
  });

  it('reports neither lease nor array if its request has none', async () => {
    const { lines } = written();
    await expect(invoke(contextOf('invocation-3'), () => ({}), busy)).rejects.toThrow('array fb1 is busy');
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).not.toHaveProperty('leaseId');
    expect(lines()[0]).not.toHaveProperty('array');
  });

  it('reports an invalid request without quoting it', async () => {
    const { lines } = written();
    const parse = (): object => {
      throw new FlashBladeError('REQUEST_INVALID', 'login request: array is missing');
    };
    await expect(invoke(contextOf('invocation-4'), parse, async () => 1)).rejects.toThrow('array is missing');
    expect(lines()).toMatchObject([{ code: 'REQUEST_INVALID', message: 'login request: array is missing' }]);
  });

  it('reports an unexpected error as INTERNAL without quoting its message', async () => {
    const { lines } = written();
    const work = async () => JSON.parse('T-00000000-secret');
    await expect(invoke(contextOf('invocation-5'), () => ({}), work)).rejects.toMatchObject({ name: 'INTERNAL' });
    expect(JSON.stringify(lines())).not.toContain('T-0000');
  });

  it('closes all connections, whether it succeeds or fails', async () => {
    written();
    const server = await startServer();
    const call = async () => exchange(arrayAt(server), { method: 'GET', path: '/api/api_version' });
    await invoke(contextOf('invocation-6'), () => ({}), call);
    await server.quiet();
    const fail = async () => {
      await call();
      return busy();
    };
    await expect(invoke(contextOf('invocation-7'), () => ({}), fail)).rejects.toThrow('busy');
    await server.quiet();
    expect(server.requests).toHaveLength(2);
  });
});

describe('a cold start', () => {
  it('reads a lease that does not exist from the ledger', async () => {
    const read = vi.fn(async () => undefined);
    vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    await connect({ store: { read } } as never);
    expect(read).toHaveBeenCalledExactlyOnceWith('lease#', 1_800_000_001_000);
  });

  it('succeeds if the ledger is unavailable, and leaves the report to the first invocation', async () => {
    const read = () => Promise.reject(new FlashBladeError('AWS_UNAVAILABLE', 'no'));
    await connect({ store: { read } } as never);
  });
});

describe("a function's configuration and ports", () => {
  const ENVIRONMENT = { LEASE_TABLE: 'leases', LEASE_KEY: 'alias/leases', AWS_REGION: 'eu-central-1' };

  function environment(changes: Readonly<Record<string, string>> = {}): void {
    onTestFinished(() => void vi.unstubAllEnvs());
    for (const [name, value] of Object.entries({ ...ENVIRONMENT, ...changes })) vi.stubEnv(name, value);
  }

  it('come from its environment', () => {
    environment({ SESSIONS_PER_ARRAY: '7', ARRAY_IDLE_SECONDS: '900', MAX_LEASE_SECONDS: '3600' });
    expect(functionConfig()).toMatchObject({ LEASE_TABLE: 'leases', SESSIONS_PER_ARRAY: 7 });
    const limits = { sessionsPerArray: 7, arrayIdleSeconds: 900, maxLeaseSeconds: 3600 };
    expect(functionPorts().limits).toEqual(limits);
    expect(functionClosingPorts().limits).toEqual(limits);
  });

  it('are refused with CONFIG_INVALID if a variable is missing', () => {
    environment({ LEASE_TABLE: '' });
    for (const make of [functionConfig, functionPorts, functionClosingPorts]) {
      expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
  });

  it('give access to API tokens only if the function opens sessions', () => {
    environment();
    expect(functionPorts()).toHaveProperty('secrets');
    expect(functionClosingPorts()).not.toHaveProperty('secrets');
  });

  it('report to the log', () => {
    environment();
    const { lines } = written();
    functionPorts().report({ event: 'LeaseServed', message: 'one' });
    functionClosingPorts().report({ event: 'LeaseServed', message: 'two' });
    expect(lines()).toMatchObject([{ message: 'one' }, { message: 'two' }]);
  });
});
