import { describe, expect, it } from 'vitest';
import { authToken } from '../../../lib/core/model.ts';
import { request } from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { allowedCalls, callArray } from '../../../lib/leases/call-array.ts';
import { MAX_RESULT_BYTES } from '../../../lib/leases/requests.ts';
import { withLease } from '../../../lib/leases/use.ts';
import { opened, type World } from '../../kit/memory/world.ts';
import { arrayAt, JSON_TYPE, reply, startServer } from '../flashblade/servers.ts';

const allowed = allowedCalls('GET /api/**');
const call = (w: World, path = '/api/2.4/arrays', method: 'GET' | 'POST' = 'GET') =>
  callArray(w.ports, allowed, { leaseId: 'job-1', method, path }, w.deadline());

const respond = (status: number, body: unknown) => async () => ({ status, headers: {}, body, requestId: '' });

describe('a call under a lease', () => {
  it('a call returns the status and the body, and nothing else', async () => {
    const w = await opened();
    expect(await call(w)).toEqual({ status: 200, body: { items: [] } });
  });

  it('a failure of the array is returned as it is', async () => {
    const w = await opened();
    w.once('request', respond(404, { errors: [] }));
    expect(await call(w)).toEqual({ status: 404, body: { errors: [] } });
  });

  it.each([
    'T-99999999-aaaa-bbbb-cccc-dddddddddddd',
    't-99999999-AAAA-bbbb-cccc-dddddddddddd',
    '\\u0054-99999999-aaaa-bbbb-cccc-dddddddddddd',
    '%54%2d99999999%2Daaaa-bbbb-cccc-dddddddddddd',
  ])('a response never contains what looks like an API token: %s', async (token) => {
    const w = await opened();
    w.once('request', respond(200, { items: [{ text: `was ${token}` }], [token]: 1 }));
    expect(await call(w)).toEqual({ status: 200, body: { items: [{ text: 'was [API token]' }], '[API token]': 1 } });
    w.once('request', respond(404, `<html>${token}</html>`));
    expect(await call(w)).toEqual({ status: 404, body: '<html>[API token]</html>' });
  });

  it('a call keeps numbers exact, and still redacts what looks like an API token', async () => {
    const text = '{"items":[{"id":12345678901234567890,"x":[-0,1e400,{"y":1.0000000000000000001}]}],"n":1}';
    const server = await startServer(reply(200, text, JSON_TYPE));
    const w = await opened();
    const session = { array: arrayAt(server), authToken: authToken('uuid'), username: 'pureuser' };
    w.ports.flashblade.request = (_, sent, { exactNumbers }) => request(session, sent, { exactNumbers });
    expect(JSON.stringify(await call(w))).toBe(`{"status":200,"body":${text}}`);
    // Callers in the same process count with the numbers.
    const plain = await withLease(w.ports, 'job-1', (use) => use.request({ method: 'GET', path: '/api/2.4/arrays' }));
    expect(plain.body).toEqual(JSON.parse(text));
    closeConnections();
  });

  it('a call that is not allowed reaches neither the ledger nor the array', async () => {
    const w = await opened();
    await expect(call(w, '/api/2.4/file-systems', 'POST')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(call(w, '/api/2.4/admins/api-tokens')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    expect(w.calls).toEqual([]);
  });

  it('a call logs in again once, and is FORBIDDEN if it is refused twice', async () => {
    const w = await opened();
    w.dropSessions();
    expect(await call(w)).toMatchObject({ status: 200 });
    w.once('request', respond(403, ''));
    w.once('request', respond(403, ''));
    await expect(call(w)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(w.live.size).toBe(1);
  });

  it('a call fails if its response is too large for a state of Step Functions', async () => {
    const w = await opened();
    const overhead = JSON.stringify({ status: 200, body: '' }).length;
    w.once('request', respond(200, 'x'.repeat(MAX_RESULT_BYTES - overhead)));
    expect(await call(w)).toMatchObject({ status: 200 });
    w.once('request', respond(200, 'x'.repeat(MAX_RESULT_BYTES - overhead + 1)));
    await expect(call(w)).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
    w.once('request', respond(200, 'é'.repeat(MAX_RESULT_BYTES / 2)));
    await expect(call(w)).rejects.toMatchObject({
      code: 'ANSWER_INVALID',
      message:
        'the response to GET /api/2.4/arrays is larger than 240 KiB. Request smaller pages with limit and continuation_token',
      facts: { status: 200, sent: true },
    });
  });
});
