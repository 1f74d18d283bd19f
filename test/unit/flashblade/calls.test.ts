/** The calls of a session: paths, bodies, pages and refusals, against a source that a test scripts and against the simulator. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, isFlashBladeError } from '../../../lib/array.ts';
import { type ArrayCalls, callsOf } from '../../../lib/flashblade/calls.ts';
import type { ArrayRequest, ArrayResponse } from '../../../lib/flashblade/client.ts';
import { failureOf } from './failures.ts';
import { simulated } from './simulated.ts';

type Made = { readonly calls: ArrayCalls; readonly sent: string[]; readonly asked: () => number };

/** The calls of a session on an array that answers the requests in this order. */
function answering(...answers: readonly (Partial<ArrayResponse> | Error)[]): Made {
  const sent: string[] = [];
  const left = [...answers];
  let asked = 0;
  const request = async ({ method, path, query, body }: ArrayRequest): Promise<ArrayResponse> => {
    sent.push([method, path, ...[query, body].flatMap((part) => (part ? [JSON.stringify(part)] : []))].join(' '));
    const answer = left.shift() ?? {};
    if (answer instanceof Error) throw answer;
    return { status: 200, headers: {}, requestId: 'id-1', body: {}, ...answer };
  };
  const apiVersions = async () => {
    if (asked++ === 0 && left[0] instanceof Error) throw left.shift();
    return ['2.9', '2.15', '1.12'];
  };
  return { calls: callsOf({ facts: { array: 'fb1' }, request, apiVersions }), sent, asked: () => asked };
}

async function itemsOf(calls: ArrayCalls, path = '/buckets', options = {}): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of calls.list(path, options)) items.push(item);
  return items;
}

describe('a path', () => {
  it.each(['/buckets', 'buckets'])('%s begins after the newest version, which is asked for once', async (path) => {
    const { calls, sent, asked } = answering();
    await calls.get(path);
    await calls.delete(path, { query: { names: 'logs' } });
    expect(sent).toEqual(['GET /api/2.15/buckets', 'DELETE /api/2.15/buckets {"names":"logs"}']);
    expect(asked()).toBe(1);
  });

  it('that is complete is sent as it is, without asking for the versions', async () => {
    const { calls, sent, asked } = answering();
    await calls.patch('/api/2.4/buckets', { body: { destroyed: true } });
    expect([sent, asked()]).toEqual([['PATCH /api/2.4/buckets {"destroyed":true}'], 0]);
  });

  it('asks for the versions again after a failure', async () => {
    const { calls, sent } = answering(new Error('planned by the test'));
    await expect(calls.get('/buckets')).rejects.toThrow('planned by the test');
    await calls.get('/buckets');
    expect(sent).toEqual(['GET /api/2.15/buckets']);
  });
});

describe('calls that ask for the versions at the same time', () => {
  it('do not fail because one of them is aborted', async () => {
    const controller = new AbortController();
    const apiVersions: ArrayCalls['apiVersions'] = async ({ signal } = {}) => {
      await new Promise(setImmediate);
      signal?.throwIfAborted();
      return ['2.15'];
    };
    const request = async () => ({ status: 200, headers: {}, requestId: 'id-1', body: 'read' });
    const calls = callsOf({ facts: { array: 'fb1' }, request, apiVersions });
    const both = [calls.get('/arrays', { signal: controller.signal }), calls.get('/arrays')];
    controller.abort(new Error('enough'));
    const [aborted, other] = await Promise.allSettled(both);
    expect(aborted).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    expect(other).toEqual({ status: 'fulfilled', value: 'read' });
  });
});

describe('list', () => {
  it('follows the pages of REST 2 to the end, whether the last token is null or absent', async () => {
    for (const last of [{ continuation_token: null }, {}]) {
      const { calls, sent } = answering(
        { body: { items: [1, 2], continuation_token: 'more' } },
        { body: { items: [3], ...last } },
      );
      expect(await itemsOf(calls, '/buckets', { query: { limit: 2 } })).toEqual([1, 2, 3]);
      expect(sent[1]).toBe('GET /api/2.15/buckets {"limit":2,"continuation_token":"more"}');
    }
  });

  it('follows the pages of REST 1, whose parameter is called token', async () => {
    const { calls, sent } = answering(
      { body: { items: [1], pagination_info: { continuation_token: 'more' } } },
      { body: { items: [2], pagination_info: { continuation_token: null } } },
    );
    expect(await itemsOf(calls, '/api/1.12/file-systems')).toEqual([1, 2]);
    expect(sent[1]).toBe('GET /api/1.12/file-systems {"token":"more"}');
  });

  it('asks for no page that nobody reads', async () => {
    const { calls, sent } = answering({ body: { items: [1, 2], continuation_token: 'more' } });
    for await (const item of calls.list('/buckets')) if (item === 1) break;
    expect(sent).toHaveLength(1);
  });

  it('ends with an error if a page repeats, instead of reading forever', async () => {
    const { calls } = answering(...Array(9).fill({ body: { items: [], continuation_token: 'same' } }));
    expect(await failureOf(itemsOf(calls))).toMatchObject({ code: 'ANSWER_INVALID' });
  });

  it.each([{ body: { name: 'fb1' } }, { body: '' }, { body: { items: {} } }])(
    'refuses a response without items and advises get: %j',
    async (answer) => {
      const { code, message } = await failureOf(itemsOf(answering(answer).calls));
      expect([code, message]).toEqual([
        'ANSWER_INVALID',
        'array fb1: the response to GET /buckets has no list of items. Use get',
      ]);
    },
  );
});

describe('an error status', () => {
  it.each([
    [400, {}, 'CALL_REFUSED', false],
    [404, {}, 'CALL_REFUSED', false],
    [302, {}, 'CALL_REFUSED', false],
    [401, {}, 'FORBIDDEN', false],
    [403, {}, 'FORBIDDEN', false],
    [403, { isInFront: true as const }, 'ARRAY_UNREACHABLE', true],
    [429, { headers: { 'retry-after': '7' } }, 'ARRAY_BUSY', true],
    [503, {}, 'ARRAY_BUSY', true],
  ])('%i %j is thrown as %s', async (status, more, code, retryable) => {
    const error = await failureOf(answering({ status, ...more }).calls.get('/buckets'));
    expect(error).toMatchObject({ code, retryable, facts: { status, sent: true, requestId: 'id-1' } });
    expect(error.message).toMatch(
      /array fb1.* returned \d+ for GET \/api\/2\.15\/buckets\. (Correct|Give|Let|Try again later)\b/,
    );
    if (status === 429) expect(error.facts.retryAfterSeconds).toBe(7);
  });

  it.each([
    [{ errors: [{ context: 'logs', message: 'Bucket does not exist.' }] }, ': logs: Bucket does not exist'],
    [{ error: [{ code: 403, context: '', message: 'Access Denied' }] }, ': Access Denied'],
    [{ message: 'invalid body parameter: x' }, ': invalid body parameter: x'],
    [{ errors: [{ message: 'two\nlines\u0000' }] }, ': two lines'],
    [{ errors: [{ message: 'x'.repeat(1000) }] }, `: ${'x'.repeat(300)}`],
    [{ errors: [{ message: 'T-00000000-1111-2222-3333-444444444444 is taken' }] }, ': [API token] is taken'],
    [{ error: 'invalid_client' }, ''],
    [{ errors: [] }, ''],
    ['<html>', ''],
    [null, ''],
  ])('says what the array says, cleaned: %j', async (body, said) => {
    const { message } = await failureOf(answering({ status: 400, body }).calls.post('/buckets'));
    const advice = 'Correct the path, the query or the body';
    expect(message).toBe(`array fb1 returned 400 for POST /api/2.15/buckets${said}. ${advice}`);
  });
});

describe('connect', () => {
  const options = async () => {
    const { simulator, array, token } = await simulated();
    return { simulator, given: { ...array, apiToken: token.reveal() } };
  };

  it('opens a session that closes at the end of its block', async () => {
    const { simulator, given } = await options();
    {
      await using fb = await connect(given);
      expect([fb.username, fb.version, fb.array.port]).toEqual(['pureuser', '2.26', given.port]);
      expect(await fb.get('/arrays')).toMatchObject({ items: [{ name: expect.any(String) }] });
      expect(await itemsOf(fb, '/file-systems', { query: { limit: 1 } })).not.toEqual([]);
      expect(simulator.sessions()).toHaveLength(1);
      expect(JSON.stringify(fb)).not.toContain(given.apiToken);
    }
    expect(simulator.sessions()).toEqual([]);
  });

  it('uses the version that it is given, without asking the array', async () => {
    const { simulator, given } = await options();
    await using fb = await connect({ ...given, version: '2.4' });
    await fb.get('/arrays');
    expect(simulator.requests.map(({ path }) => path)).toEqual(['/api/login', '/api/2.4/arrays']);
  });

  it('closes once, however often it is asked, and again after a failure', async () => {
    const { simulator, given } = await options();
    const fb = await connect(given);
    onTestFinished(() => fb.close());
    const fault = simulator.faults.add({ kind: 'answer', status: 503, path: '/api/logout' });
    await expect(fb.close()).rejects.toMatchObject({ code: 'ARRAY_BUSY' });
    await fault.remove();
    await Promise.all([fb.close(), fb.close()]);
    expect(simulator.requests.filter(({ path }) => path === '/api/logout')).toHaveLength(2);
  });

  it('is said to be closed if it is used after it was closed, and nothing is sent', async () => {
    const { simulator, given } = await options();
    const fb = await connect(given);
    await fb.close();
    const requests = simulator.requests.length;
    const uses = [() => fb.get('/arrays'), () => fb.post('/buckets'), () => fb.list('/arrays').next()];
    uses.push(() => fb.request({ method: 'GET', path: '/api/2.4/arrays' }));
    for (const use of uses) {
      expect(await failureOf(use())).toMatchObject({
        code: 'REQUEST_INVALID',
        message: expect.stringMatching(/^the session is closed\. Open another one with connect\. Await every call/),
      });
    }
    expect(simulator.requests).toHaveLength(requests);
  });

  it('is said to have been closed if a call without await was refused because of that', async () => {
    const { simulator, given } = await options();
    const fb = await connect(given);
    const fault = simulator.faults.add({ kind: 'answer', status: 403, path: '/api/2.26/arrays' });
    const call = failureOf(fb.request({ method: 'GET', path: '/api/2.26/arrays' }));
    await fb.close();
    const sentence = 'the session was closed during GET /api/2.26/arrays. Await every call';
    expect(await call).toMatchObject({ code: 'REQUEST_INVALID', message: expect.stringContaining(sentence) });
    await fault.remove();
  });

  it('is not taken for closed after it could not be closed', async () => {
    const { simulator, given } = await options();
    await using fb = await connect(given);
    const fault = simulator.faults.add({ kind: 'answer', status: 503, path: '/api/logout' });
    expect(await failureOf(fb.close())).toMatchObject({ code: 'ARRAY_BUSY', facts: { phase: 'close' } });
    await fault.remove();
    // The simulated array has ended the session, but the program cannot know that.
    expect(await failureOf(fb.get('/arrays'))).toMatchObject({ code: 'FORBIDDEN' });
  });

  it.each([null, { timeout: 5 }, { timeoutMs: 0 }, 5])('is not closed with the mistake %j', async (mistake) => {
    const { simulator, given } = await options();
    await using fb = await connect(given);
    expect(await failureOf(fb.close(mistake as never))).toMatchObject({ code: 'REQUEST_INVALID' });
    expect(simulator.sessions()).toHaveLength(1);
  });

  it('says in errors which array failed, and in which phase', async () => {
    const { simulator, given } = await options();
    const facts = { array: given.name, requestId: expect.any(String) };
    const wrong = connect({ ...given, apiToken: 'T-00000000-0000-0000-0000-000000000000' });
    expect(await failureOf(wrong)).toMatchObject({ code: 'LOGIN_REFUSED', facts: { ...facts, phase: 'open' } });
    await using fb = await connect(given);
    const call = fb.get('/no-such-thing');
    expect(await failureOf(call)).toMatchObject({ code: 'CALL_REFUSED', facts: { ...facts, phase: 'call' } });
    const fault = simulator.faults.add({ kind: 'reset', path: '/api/2.26/arrays' });
    const lost = await failureOf(fb.get('/arrays'));
    expect(lost).toMatchObject({ code: 'ARRAY_UNREACHABLE', facts: { ...facts, phase: 'call' } });
    await fault.remove();
  });

  it('has its time limits in every call that sets none of its own', async () => {
    const { simulator, given } = await options();
    await using fb = await connect({ ...given, timeoutMs: 300, version: '2.4' });
    const fault = simulator.faults.add({ kind: 'hang', at: 'before-headers', path: '/api/2.4/arrays' });
    for (const own of [undefined, {}, { timeoutMs: undefined, signal: undefined }]) {
      const startedAt = performance.now();
      expect(await failureOf(fb.get('/arrays', own))).toMatchObject({ code: 'ARRAY_UNREACHABLE' });
      expect(performance.now() - startedAt).toBeLessThan(3000);
    }
    await fault.remove();
    expect(await fb.get('/arrays', { timeoutMs: 10_000 })).toHaveProperty('items');
  });

  it('leaves no session if the token is refused or the versions cannot be read', async () => {
    const { simulator, given } = await options();
    const refused = await failureOf(connect({ ...given, apiToken: 'T-wrong' }));
    expect(isFlashBladeError(refused, 'LOGIN_REFUSED')).toBe(true);
    simulator.faults.add({ kind: 'answer', status: 503, path: '/api/api_version' });
    expect(await failureOf(connect(given))).toMatchObject({ code: 'ARRAY_BUSY' });
    expect(simulator.history).toEqual([]);
  });
});
