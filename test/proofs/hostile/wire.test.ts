import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { brokenCopy, type Patch, tell } from '../controls.ts';
import { tryWire, type WireSummary } from './wire.ts';
import { callAll, callHost, ELSEWHERE, HAS_ELSEWHERE, NAME, startWorld, type World } from './world.ts';

vi.setConfig({ testTimeout: 240_000 });

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

describe.skipIf(!HAS_ELSEWHERE)('hostile secrets, responses and paths', () => {
  it('send no byte to any listener except the array', async () => {
    const { inputs, heard, wrong } = await tryWire(1, 20);
    expect(wrong).toEqual([]);
    expect(inputs).toBe(60);
    for (const kind of ['host', 'answer', 'path']) expect(heard[kind], kind).toBeGreaterThan(10);
  });

  it('are reported if the client follows redirects, trusts any certificate or sends any path', async () => {
    const file = (name: string): string => `lib/flashblade/${name}.ts`;
    const follow = `if ('response' in first && URL.canParse(first.response.headers['location'] ?? '')) {
      const { hostname, port } = new URL(first.response.headers['location'] ?? '');
      return exchange({ ...array, host: hostname, port: Number(port) || array.port }, request, budget, options);
    }`;
    const mistakes: Patch[] = [
      {
        file: file('exchange'),
        find: `if ('response' in first) return`,
        replace: `${follow} if ('response' in first) return`,
      },
      {
        file: file('tls'),
        find: "rejectUnauthorized: trust.kind !== 'fingerprints'",
        replace: 'rejectUnauthorized: false',
      },
      { file: file('tls'), find: 'socket.authorized ? null', replace: 'array ? null' },
      { file: file('requests'), find: 'if (PATH.test(path) &&', replace: 'if (true ||' },
      { file: file('http/request'), find: '|| !TARGET.test(path) ||', replace: '||' },
    ];
    await using broken = await brokenCopy('test/proofs/hostile/wire.ts', mistakes);
    // In a bundle, the module that the certificates need first would load second.
    const NODE_OPTIONS = `--import=${pathToFileURL(resolve(ROOT, 'test/kit/reflect.ts'))}`;
    const { wrong } = await tell<WireSummary>(broken.path, 'tryWire', [1, 20, true], { NODE_OPTIONS });
    expect(wrong).toEqual([
      expect.stringMatching(/^host: another listener heard \d+ bytes, by /),
      expect.stringMatching(/^answer: another listener /),
      expect.stringMatching(/^path: the array was asked with /),
    ]);
  });
});

describe.skipIf(!HAS_ELSEWHERE)('the client of an array', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('trusted');
  });
  afterAll(() => world.stop());

  it.each([
    ['status 301, with a Location', 301, 'Location: https://TRAP/api/login'],
    ['status 302, with a Location', 302, 'Location: https://TRAP/api/login'],
    ['status 303, with a Location', 303, 'Location: https://TRAP/api/login'],
    ['status 307, with a Location', 307, 'Location: https://TRAP/api/login'],
    ['status 308, with a Location', 308, 'Location: https://TRAP/api/login'],
    ['status 305, with a proxy', 305, 'Location: https://TRAP/'],
    ['status 300, with alternatives', 300, 'Location: https://TRAP/\r\nLink: <https://TRAP/>; rel=alternate'],
    ['a Location with the array name as its user', 307, 'Location: https://fb1.example.com@TRAP/api/login'],
    ['a Location without a scheme', 307, 'Location: //TRAP/api/login'],
    ['a Location without TLS', 307, 'Location: http://TRAP/api/login'],
    ['status 201, with a Location', 201, 'Location: https://TRAP/api/login'],
    ['a Refresh header', 200, 'Refresh: 0; url=https://TRAP/api/login'],
    ['an alternative service', 200, 'Alt-Svc: http/1.1="TRAP"; ma=86400'],
    ['status 421, with an alternative service', 421, 'Alt-Svc: http/1.1="TRAP"; ma=86400'],
    ['an early hint', 103, 'Link: <https://TRAP/>; rel=preconnect'],
    ['status 407, for a proxy', 407, 'Proxy-Authenticate: Basic\r\nLocation: https://TRAP/'],
    ['status 401, for a realm', 401, 'WWW-Authenticate: Bearer realm="https://TRAP/"'],
    [
      'an HTML page with a refresh',
      200,
      'Content-Type: text/html\r\n\r\n<meta http-equiv="refresh" content="0;url=https://TRAP/">',
    ],
  ] satisfies [string, number, string][])('does not follow a response with %s', async (_, status, text) => {
    const trap = `${ELSEWHERE}:${world.array.port}`;
    const [headers, body = ''] = text.replaceAll('TRAP', trap).split('\r\n\r\n');
    const length = status === 103 ? '' : `Content-Length: ${body.length}\r\n`;
    world.answerWith(`HTTP/1.1 ${status} Whatever\r\n${length}${headers}\r\n\r\n${body}`);
    await callAll(world.array);
    world.answerWith(OK);
    await callAll(world.array);
    expect(await world.verdict()).toEqual({ requests: expect.any(Number), what: undefined });
  });

  it.each([
    '//TRAP/x',
    'https://TRAP/api/x',
    '/api/@TRAP/x',
    '/api/..//TRAP/x',
    '\\\\TRAP\\x',
    '/api/x HTTP/1.1\r\nHost: TRAP\r\n\r\n',
  ])('never sends the path %j', async (path) => {
    await callAll(world.array, path.replaceAll('TRAP', `${ELSEWHERE}:${world.array.port}`));
    expect((await world.verdict()).what).toBeUndefined();
  });
});

describe.skipIf(!HAS_ELSEWHERE)('a secret', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('stranger');
    world.answerWith(OK);
  });
  afterAll(() => world.stop());

  it.each([
    'user@TRAP',
    'OWN@TRAP',
    'OWN#@TRAP',
    'OWN/@TRAP',
    'OWN\\@TRAP',
    'OWN\r\nHost: TRAP',
    'OWN\0.evil.example:PORT',
    'fb1.example.com.evil.example:PORT',
    'fb1.example.com%00.evil.example:PORT',
    'fb1。example。com:PORT',
    'ｆb1.example.com:PORT',
    '[::ffff:127.0.0.2]:PORT',
    '2130706434:PORT',
    '127.2:PORT',
    '0x7f.0.0.2:PORT',
    'TRAP',
    'https://TRAP',
  ])('with the host %j sends no byte to another listener', async (host) => {
    const { port } = world.array;
    const names: Record<string, string> = { OWN: `${NAME}:${port}`, TRAP: `${ELSEWHERE}:${port}`, PORT: `${port}` };
    await callHost(
      world,
      host.replaceAll(/OWN|TRAP|PORT/g, (word) => names[word] ?? word),
    );
    expect(await world.verdict()).toEqual({ requests: 0, what: undefined });
  });

  it('with the host of the array reaches the array', async () => {
    await callHost(world, `FB1.example.com:${world.array.port}`);
    expect((await world.verdict()).requests).toBeGreaterThan(3);
  });
});
