import { describe, expect, it } from 'vitest';
import { as, authTokenOf, call, clock, logout, simulate } from '../../../simulator/support.ts';

async function signedIn(options: Parameters<typeof simulate>[0] = {}) {
  const array = await simulate(options);
  const authToken = await authTokenOf(array);
  const read = async (path: string) => {
    const { status, body } = await call(array, 'GET', path, as(authToken));
    return { status, json: JSON.parse(body) };
  };
  return { array, authToken, read };
}

describe('reads', () => {
  it('an array returns its REST versions without a login, under the key versions', async () => {
    const { status, body } = await call(
      await simulate({ versions: ['1.8', '1.8.1', '2.4'] }),
      'GET',
      '/api/api_version',
    );
    expect([status, body]).toEqual([200, '{"versions":["1.8","1.8.1","2.4"]}']);
  });

  it('the default REST versions include some with three parts and some with two digits', async () => {
    const { read } = await signedIn();
    const { versions } = (await read('/api/api_version')).json;
    expect(versions).toEqual(expect.arrayContaining(['1.0', '1.8.1', '1.10', '2.0', '2.4', '2.26']));
    expect(versions.slice(7, 11)).toEqual(['1.7', '1.8', '1.8.1', '1.9']);
  });

  it.each(['1.0', '1.12', '2.0', '2.26'])('a read in REST %s without a live session is refused', async (version) => {
    const array = await simulate();
    for (const resource of ['arrays', 'file-systems', 'file-system-snapshots']) {
      const path = `/api/${version}/${resource}`;
      expect(await call(array, 'GET', path)).toMatchObject({
        status: 403,
        body: `{"error":[{"code":403,"context":"${path}","message":"Access Denied"}]}`,
      });
    }
  });

  it('an array describes itself in REST 1 and REST 2, and REST 2 includes its idle timeout in milliseconds', async () => {
    const { read } = await signedIn({ name: 'fb7', idleTimeoutMs: 300_000 });
    const old = await read('/api/1.1/arrays');
    expect(old).toMatchObject({ status: 200, json: { items: [{ name: 'fb7', os: 'Purity//FB' }] } });
    expect(old.json.pagination_info).toEqual({ continuation_token: null, total_item_count: 1 });
    const young = await read('/api/2.4/arrays');
    expect(young).toMatchObject({ json: { items: [{ name: 'fb7', idle_timeout: 300_000 }], total_item_count: 1 } });
  });

  it('the source of a snapshot is a string in REST 1 and a reference in REST 2', async () => {
    const { read } = await signedIn();
    expect((await read('/api/1.12/file-system-snapshots')).json.items[0]).toMatchObject({ source: 'home' });
    expect((await read('/api/2.4/file-system-snapshots')).json.items[0]).toMatchObject({ source: { name: 'home' } });
  });

  it.each([
    { version: '1.12', next: 'token' },
    { version: '2.4', next: 'continuation_token' },
  ])('REST $version returns a list page by page until the token is null', async ({ version, next }) => {
    const { read } = await signedIn();
    const names: string[] = [];
    let path = `/api/${version}/file-systems?limit=3`;
    for (let pages = 0; path !== '' && pages < 5; pages++) {
      const { json } = await read(path);
      const paging = json.pagination_info ?? json;
      expect(paging.total_item_count).toBe(4);
      names.push(...json.items.map(({ name }: { name: string }) => name));
      const token: string | null = paging.continuation_token;
      path = token === null ? '' : `/api/${version}/file-systems?limit=3&${next}=${token}`;
    }
    expect(names).toEqual(['home', 'projects', 'render', 'scratch']);
  });

  it('a list can be filtered by name, and an unknown name is reported', async () => {
    const { read } = await signedIn();
    const chosen = (await read('/api/2.4/file-systems?names=render,home')).json;
    expect(chosen).toMatchObject({ total_item_count: 2, items: [{ name: 'home' }, { name: 'render' }] });
    expect(await read('/api/2.4/file-systems?names=none')).toEqual({
      status: 400,
      json: { errors: [{ context: 'none', message: 'Resource does not exist.' }] },
    });
  });

  it.each(['limit=0', 'limit=x', 'continuation_token=x'])('the query %s is refused', async (query) => {
    const { read } = await signedIn();
    expect(await read(`/api/2.4/file-systems?${query}`)).toMatchObject({
      status: 400,
      json: { errors: [{ context: null }] },
    });
  });

  it('the list of sessions includes ended ones, and a live session has the end time 0', async () => {
    const { now, forward } = clock();
    const { array, read } = await signedIn({ now });
    const start = now();
    forward(5);
    await logout(array, await authTokenOf(array));
    const common = { user: 'pureuser', user_interface: 'REST', method: 'API token', location: '127.0.0.1' };
    expect((await read('/api/2.3/sessions')).json.items).toMatchObject([
      { ...common, start_time: start, end_time: 0 },
      { ...common, start_time: start + 5, end_time: start + 5 },
    ]);
  });
});
