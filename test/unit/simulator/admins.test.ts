import { describe, expect, it } from 'vitest';
import { as, authTokenOf, call, clock, login, simulate } from '../../../simulator/support.ts';

const USERS = [
  { username: 'pureuser', apiToken: 'T-1' },
  { username: 'auditor', apiToken: 'T-2', role: 'readonly' as const },
];
const TOKENS = '/api/2.4/admins/api-tokens';

async function signedIn(options: Parameters<typeof simulate>[0] = {}, apiToken = 'T-1') {
  const { now } = clock();
  const array = await simulate({ users: USERS, now, ...options });
  const authToken = await authTokenOf(array, apiToken);
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await call(
      array,
      method,
      path,
      as(authToken, body === undefined ? undefined : JSON.stringify(body)),
    );
    return { status: response.status, json: response.body === '' ? undefined : JSON.parse(response.body) };
  };
  return { array, authToken, ask, now };
}

describe('API tokens in REST 2', () => {
  it('a deletion has an empty response, and a creation returns the new token once, with its expiry', async () => {
    const { array, ask, now } = await signedIn();
    expect(await ask('DELETE', `${TOKENS}?admin_names=pureuser`)).toEqual({ status: 200, json: undefined });
    expect(await login(array, 'T-1')).toMatchObject({ status: 401 });
    const created = await ask('POST', `${TOKENS}?admin_names=pureuser&timeout=1000`);
    const { token } = created.json.items[0].api_token;
    expect(created.json.items).toEqual([
      { admin: { name: 'pureuser' }, api_token: { created_at: now(), expires_at: now() + 1000, token } },
    ]);
    expect(await login(array, token)).toMatchObject({ status: 200 });
    const listed = await ask('GET', `${TOKENS}?admin_names=pureuser`);
    expect(listed.json).toMatchObject({ items: [{ admin: { name: 'pureuser' }, api_token: { token: '****' } }] });
    expect(JSON.stringify(listed.json)).not.toContain(token);
  });

  it('an API token expires at its expiry time', async () => {
    const { now, forward } = clock();
    const { array, ask } = await signedIn({ now });
    await ask('DELETE', `${TOKENS}?admin_names=auditor`);
    const created = await ask('POST', `${TOKENS}?admin_names=auditor&timeout=1000`);
    const { token } = created.json.items[0].api_token;
    forward(999);
    expect(await login(array, token)).toMatchObject({ status: 200 });
    forward(1);
    expect(await login(array, token)).toMatchObject({ status: 401 });
  });

  it('the parameter names= is ignored, so that the request applies to every admin', async () => {
    const { array, ask } = await signedIn();
    const { json } = await ask('GET', `${TOKENS}?names=auditor`);
    expect(json.items.map(({ admin }: { admin: { name: string } }) => admin.name)).toEqual(['pureuser', 'auditor']);
    await ask('DELETE', `${TOKENS}?names=auditor`);
    expect(array.users.map(({ apiToken }) => apiToken)).toEqual(['', '']);
    expect((await ask('POST', `${TOKENS}?names=auditor`)).json.items).toHaveLength(2);
  });

  it('creating a second API token for a user fails, unless createExistingToken is replace', async () => {
    const strict = await signedIn();
    expect(await strict.ask('POST', `${TOKENS}?admin_names=pureuser`)).toMatchObject({
      status: 400,
      json: { errors: [{ context: 'pureuser' }] },
    });
    expect(await login(strict.array, 'T-1')).toMatchObject({ status: 200 });
    const replacing = await signedIn({ createExistingToken: 'replace' });
    expect(await replacing.ask('POST', `${TOKENS}?admin_names=pureuser`)).toMatchObject({ status: 200 });
    expect(await login(replacing.array, 'T-1')).toMatchObject({ status: 401 });
  });

  it('sessions survive the deletion of their API token, unless sessionsOutliveToken is false', async () => {
    const outliving = await signedIn();
    await outliving.ask('DELETE', `${TOKENS}?admin_names=pureuser`);
    expect(await outliving.ask('POST', `${TOKENS}?admin_names=pureuser`)).toMatchObject({ status: 200 });
    const dying = await signedIn({ sessionsOutliveToken: false });
    expect(await dying.ask('DELETE', `${TOKENS}?admin_names=pureuser`)).toMatchObject({ status: 200 });
    expect(await dying.ask('POST', `${TOKENS}?admin_names=pureuser`)).toMatchObject({ status: 403 });
    expect(dying.array.history).toMatchObject([{ ended: { by: 'token deleted' } }]);
  });

  it('a user who is not an array admin cannot change the API tokens of others', async () => {
    const { ask, array } = await signedIn({}, 'T-2');
    expect(await ask('DELETE', `${TOKENS}?admin_names=pureuser`)).toMatchObject({ status: 403 });
    expect(await ask('POST', `${TOKENS}?names=auditor`)).toMatchObject({ status: 403 });
    expect(await ask('DELETE', `${TOKENS}?admin_names=auditor`)).toMatchObject({ status: 200 });
    expect(array.users.map(({ apiToken }) => apiToken)).toEqual(['T-1', '']);
  });

  it('an unknown admin and an invalid timeout are refused', async () => {
    const { ask } = await signedIn({ createExistingToken: 'replace' });
    expect(await ask('GET', `${TOKENS}?admin_names=none`)).toMatchObject({ json: { errors: [{ context: 'none' }] } });
    for (const timeout of ['0', '-1', 'soon', '1.5']) {
      expect(await ask('POST', `${TOKENS}?admin_names=pureuser&timeout=${timeout}`)).toMatchObject({ status: 400 });
    }
  });
});

describe('admins', () => {
  it('REST 1 and REST 2 list the admins with masked API tokens', async () => {
    const { ask, now } = await signedIn();
    expect((await ask('GET', '/api/1.2/admins')).json.items).toEqual([
      { name: 'pureuser', api_token: { created: now(), token: '****' } },
      { name: 'auditor', api_token: { created: now(), token: '****' } },
    ]);
    expect((await ask('GET', '/api/2.0/admins?names=auditor')).json.items).toMatchObject([
      { name: 'auditor', role: { name: 'readonly' }, api_token: { token: '****' } },
    ]);
  });

  it('in REST 1, PATCH deletes and then creates the API token of the own user', async () => {
    const { ask, array, now } = await signedIn();
    const own = '/api/1.12/admins?names=pureuser';
    expect(await ask('PATCH', own, { delete_api_token: true })).toEqual({
      status: 200,
      json: { items: [{ name: 'pureuser' }] },
    });
    const created = await ask('PATCH', own, { create_api_token: true, api_token_timeout: 1000 });
    const { token } = created.json.items[0].api_token;
    expect(created.json).toEqual({
      items: [{ name: 'pureuser', api_token: { created: now(), expires: now() + 1000, token } }],
    });
    expect(await login(array, token)).toMatchObject({ status: 200 });
  });

  it('in REST 1, PATCH refuses another user and an invalid body', async () => {
    const { ask, array } = await signedIn();
    expect(await ask('PATCH', '/api/1.12/admins?names=auditor', { delete_api_token: true })).toMatchObject({
      status: 403,
    });
    const own = '/api/1.12/admins?names=pureuser';
    const bodies = [
      {},
      { create_api_token: true, delete_api_token: true },
      { create_api_token: true },
      { create_api_token: true, api_token_timeout: 'soon' },
    ];
    for (const body of bodies) {
      expect(await ask('PATCH', own, body)).toMatchObject({
        status: 400,
        json: { message: expect.stringMatching(/^invalid body parameter: /) },
      });
    }
    expect(array.users.map(({ apiToken }) => apiToken)).toEqual(['T-1', 'T-2']);
  });
});
