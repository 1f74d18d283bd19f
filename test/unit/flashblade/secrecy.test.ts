import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { FlashBladeError } from '../../../lib/core/errors.ts';
import { apiToken, authToken, type Session } from '../../../lib/core/model.ts';
import {
  apiVersionsWithHttpInfo,
  login,
  loginWithHttpInfo,
  logout,
  logoutWithHttpInfo,
  request,
} from '../../../lib/flashblade/client.ts';
import { createAuthority } from '../../../simulator/certificates.ts';
import { failureOf } from './failures.ts';
import { arrayAt, authority, JSON_TYPE, reply, startServer } from './servers.ts';
import { simulated } from './simulated.ts';

/** Every way in which a value usually ends up in a log. */
const printed = (value: unknown): string =>
  [
    inspect(value, { depth: null, showHidden: true, getters: true }),
    inspect(value, { depth: null, customInspect: false, showHidden: true }),
    JSON.stringify(value),
    String(value),
    value instanceof Error ? `${value.stack} ${JSON.stringify(Object.getOwnPropertyDescriptors(value))}` : '',
  ].join('\n');

const SECRET = 'T-5ec2e7-abc';

/** The result or the error: a logout may succeed here, because 403 means that the session is gone. */
const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: unknown) => {
    expect(error).toBeInstanceOf(FlashBladeError);
    return error;
  });

const session = (port: number): Session => ({ array: arrayAt({ port }), authToken: authToken(SECRET), username: 'u' });

test('a printed session shows no token', async () => {
  const { array, token } = await simulated();
  const opened = await login(array, token);
  const text = printed(opened);
  expect(text).toContain('[auth token]');
  expect(text).not.toContain(opened.authToken.reveal());
  expect(printed(token)).not.toContain(token.reveal());
  await logout(opened);
});

describe('a printed error shows no token', () => {
  const quoting = [
    reply(403, JSON.stringify({ error: [{ code: 403, message: `no user for ${SECRET}` }] }), JSON_TYPE),
    reply(400, JSON.stringify({ message: `no user for ${SECRET.toUpperCase()}` }), JSON_TYPE),
    reply(400, JSON.stringify({ errors: [{ message: `no user for T-5ec\u00002e7-abc` }] }), JSON_TYPE),
    reply(400, JSON.stringify({ message: `${'x'.repeat(195)}${SECRET}` }), JSON_TYPE),
    reply(418, SECRET, { 'x-echo': SECRET }),
    reply(200, SECRET, { ...JSON_TYPE, 'x-auth-token': SECRET }),
    reply(200, JSON.stringify({ username: SECRET }), { ...JSON_TYPE, 'x-auth-token': SECRET }),
    reply(200, JSON.stringify({ username: SECRET }), { ...JSON_TYPE, 'x-auth-token': 'another' }),
    reply(302, '', { location: `https://localhost/${SECRET}` }),
    `HTTP/1.1 200 OK\r\n${SECRET} ${SECRET}\r\n\r\n`,
    SECRET,
  ];
  test.for(quoting.map((text, index) => [index, text] as const))('if the array repeats it (%i)', async ([_, text]) => {
    const server = await startServer((socket) => socket.end(text));
    const calls = [login(arrayAt(server), apiToken(SECRET)), logout(session(server.port))];
    for (const error of await Promise.all(calls.map(outcomeOf))) {
      expect(printed(error).toLowerCase()).not.toContain(SECRET.toLowerCase().slice(0, 8));
    }
  });

  test('if the token cannot be sent', async () => {
    const odd = `${SECRET}\n`;
    const array = arrayAt({ port: 9 });
    const errors = [
      await failureOf(login(array, apiToken(odd))),
      await failureOf(logout({ array, authToken: authToken(odd), username: 'u' })),
      await failureOf(
        request({ array, authToken: authToken(odd), username: 'u' }, { method: 'GET', path: '/api/2.0/x' }),
      ),
    ];
    expect(printed(errors)).not.toContain(SECRET);
  });

  test('if the request failed', async () => {
    const server = await startServer((socket) => socket.destroy());
    const error = await failureOf(login(arrayAt(server), apiToken(SECRET)));
    expect(printed(error)).not.toContain(SECRET);
    expect(error).not.toHaveProperty('cause');
  });
});

test('a token is redacted in headers, and headers that grant access are left out', async () => {
  const echoes = {
    'x-echo': `${SECRET}, opened-token`,
    'set-cookie': 'session=another',
    'x-auth-token': 'opened-token',
  };
  const server = await startServer((socket, request) =>
    socket.write(reply(200, request.includes('/login') ? '{"username":"u"}' : '', { ...JSON_TYPE, ...echoes })),
  );
  const opened = await loginWithHttpInfo(arrayAt(server), apiToken(SECRET));
  expect(opened.headers['x-echo']).toBe('[API token], [auth token]');
  const closed = await logoutWithHttpInfo(opened.data);
  expect(closed.headers['x-echo']).toBe('[API token], [auth token]');
  const called = await request(session(server.port), { method: 'GET', path: '/api/2.0/arrays' });
  expect(called.headers['x-echo']).toBe('[auth token], opened-token');
  for (const { headers } of [opened, closed, called])
    expect(Object.keys(headers).sort()).toEqual(['content-length', 'content-type', 'x-echo']);
});

test('an error quotes nothing of a body, which may contain a token in any form', async () => {
  const answers = [
    reply(500, '{"errors":[{"message":"session SECRET is open"}]}', { ...JSON_TYPE, 'x-auth-token': 'SECRET' }),
    reply(401, '{"error":[{"message":"SECRET is not a token"}]}', JSON_TYPE),
    reply(404, 'SECRET'),
    reply(200, '{"username":"SECRET","x":1', JSON_TYPE),
  ];
  for (const answer of answers) {
    const server = await startServer(answer);
    const error = await failureOf(login(arrayAt(server), apiToken('T-sent')));
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('SECRET');
  }
});

test.for([
  ['the API token', 'T-sent-and-more'],
  ['the auth token in another case', 'user opened-TOKEN'],
  ['eight characters of a token', 'user-and-mor-user'],
  ['eight characters of a token at its end', 'user-and-mor'],
  ['a token of fewer characters', 'my-short-user', 'Short'],
])('a username that repeats %s is refused', async ([_, username, opened = 'Opened-Token']) => {
  const body = JSON.stringify({ username });
  const server = await startServer(reply(200, body, { ...JSON_TYPE, 'x-auth-token': opened }));
  const call = login(arrayAt(server), apiToken('T-sent-and-more'));
  expect(await failureOf(call)).toMatchObject({ code: 'ANSWER_INVALID' });
});

test.for([
  ['share seven characters with a token', 'and-mor'],
  ['have 256 characters', 'x'.repeat(256)],
])('a username may %s', async ([_, username]) => {
  const body = JSON.stringify({ username });
  const server = await startServer(reply(200, body, { ...JSON_TYPE, 'x-auth-token': 'Opened-Token' }));
  expect((await login(arrayAt(server), apiToken('T-sent-and-more'))).username).toBe(username);
});

test.for([
  ['JSON', JSON_TYPE, { said: ['[auth token]', 'Bearer [auth token]'] }],
  ['text', {}, '{"said":["[auth token]","Bearer [auth token]"]}'],
] as const)('the auth token is redacted in a body of %s', async ([_, headers, expected]) => {
  const server = await startServer(reply(200, `{"said":["${SECRET}","Bearer ${SECRET}"]}`, headers));
  const { body } = await request(session(server.port), { method: 'GET', path: '/api/2.0/arrays' });
  expect(body).toEqual(expected);
});

test('the auth token is redacted in a JSON body, even as a name or in escapes', async () => {
  const escaped = [...SECRET].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  const said = `{"said":[1,true,null,{"deep":"Bearer ${escaped}"}],"${escaped}":"${SECRET}","__proto__":"${escaped}"}`;
  const server = await startServer(reply(200, said, JSON_TYPE));
  const { body } = await request(session(server.port), { method: 'GET', path: '/api/2.0/arrays' });
  expect(JSON.stringify(body)).toBe(
    '{"said":[1,true,null,{"deep":"Bearer [auth token]"}],"[auth token]":"[auth token]","__proto__":"[auth token]"}',
  );
});

test('a token of which the other is a part is told by neither', async () => {
  const headers = { ...JSON_TYPE, 'x-auth-token': 'T-api.and-more', 'x-echo': 'T-api.and-more, T-api' };
  const server = await startServer(reply(200, '{"username":"u"}', headers));
  const { headers: told } = await loginWithHttpInfo(arrayAt(server), apiToken('T-api'));
  expect(told['x-echo']).toBe('[auth token], [API token]');
});

test('a header whose name repeats a token is not told', async () => {
  const server = await startServer(reply(200, '', { [`x-${SECRET}`]: 'x' }));
  expect(Object.keys((await logoutWithHttpInfo(session(server.port))).headers)).toEqual(['content-length']);
});

test('a body of JSON that repeats a token of digits as a number is refused', async () => {
  const server = await startServer(reply(200, '{"a":1234567890123456789}', JSON_TYPE));
  const digits = { ...session(server.port), authToken: authToken('1234567890123456789') };
  const error = await failureOf(request(digits, { method: 'GET', path: '/api/2.0/arrays' }));
  expect(error).toMatchObject({ code: 'ANSWER_INVALID' });
  expect(printed(error)).not.toContain('12345678');
});

describe('a token that was not part of the request and is repeated by the array', () => {
  const API = '0a1b2c3d-1111-2222-3333-4444555566ff';
  const AUTH = '8d2e0c0a-9fd8-4a0e-bb65-77777777aaaa';
  const FORMER = 'T-99999999-aaaa-bbbb-cccc-dddddddddddd';
  const GET_ARRAYS = { method: 'GET', path: '/api/2.0/arrays' } as const;
  const spellOut = (value: string, spell: (hex: string) => string): string =>
    [...value].map((letter) => spell(letter.charCodeAt(0).toString(16).padStart(2, '0'))).join('');
  const SPELLINGS: Readonly<Record<string, (value: string) => string>> = {
    'as it is': (value) => value,
    'in upper case': (value) => value.toUpperCase(),
    'in escapes of JSON': (value) => spellOut(value, (hex) => `\\u00${hex}`),
    'in escapes of JSON in JSON': (value) => spellOut(value, (hex) => `\\\\u00${hex}`),
    'in escapes of a URL': (value) => spellOut(value, (hex) => `%${hex}`),
  };

  /** A session of the real client on an array with this response to everything else. */
  async function opened(answer: string): Promise<Session> {
    const body = '{"username":"u"}';
    const server = await startServer((socket, request) =>
      socket.write(request.includes('/login') ? reply(200, body, { ...JSON_TYPE, 'x-auth-token': AUTH }) : answer),
    );
    return login(arrayAt(server), apiToken(API));
  }

  test.for(Object.entries(SPELLINGS))('%s, is redacted in JSON, in names and in text', async ([_, spell]) => {
    const said = `{"said":["${spell(API)}","Bearer ${spell(AUTH)}"],"${spell(API)}":1}`;
    const redacted = { said: ['[API token]', 'Bearer [auth token]'], '[API token]': 1 };
    expect((await request(await opened(reply(200, said, JSON_TYPE)), GET_ARRAYS)).body).toEqual(redacted);
    expect((await request(await opened(reply(200, said)), GET_ARRAYS)).body).toBe(JSON.stringify(redacted));
  });

  test('is redacted in headers, headers with such a name are left out, and the same holds for a logout', async () => {
    const headers = { 'x-echo': `${API.toUpperCase()}, ${AUTH}, ${FORMER}`, [`x-${API}`]: 'x', [`x-${FORMER}`]: 'x' };
    const session = await opened(reply(200, '', headers));
    const answers = [await request(session, GET_ARRAYS), await logoutWithHttpInfo(session)];
    for (const answer of answers) {
      expect(answer.headers).toEqual({ 'content-length': '0', 'x-echo': '[API token], [auth token], [API token]' });
    }
  });

  test('is redacted in the headers of a call without a token if it looks like an API token', async () => {
    const headers = { ...JSON_TYPE, 'x-echo': `<${FORMER}>` };
    const server = await startServer(reply(200, '{"versions":["1.0"]}', headers));
    expect((await apiVersionsWithHttpInfo(arrayAt(server))).headers['x-echo']).toBe('<[API token]>');
  });

  test('stays in the body if it is a new API token, so that its creator can read it', async () => {
    const session = await opened(reply(200, JSON.stringify({ items: [{ api_token: { token: FORMER } }] }), JSON_TYPE));
    const call = { method: 'POST', path: '/api/2.0/admins/api-tokens', query: { admin_names: 'u' } } as const;
    expect((await request(session, call)).body).toEqual({ items: [{ api_token: { token: FORMER } }] });
  });

  test.for([
    FORMER,
    FORMER.toLowerCase(),
    `user ${FORMER}`,
    spellOut(FORMER, (hex) => `%${hex}`),
    spellOut(API, (hex) => `%${hex}`),
  ])('in place of a username fails the login: %s', async (username) => {
    const server = await startServer(reply(200, JSON.stringify({ username }), { ...JSON_TYPE, 'x-auth-token': AUTH }));
    const error = await failureOf(login(arrayAt(server), apiToken(API)));
    expect(error).toMatchObject({ code: 'ANSWER_INVALID' });
    expect(error.message).not.toContain(username);
  });

  describe('in its certificate is not quoted', () => {
    const session = (port: number): Session => ({
      array: arrayAt({ port }),
      authToken: authToken(AUTH),
      apiToken: apiToken(API),
      username: 'u',
    });
    const asking: Readonly<Record<string, (port: number) => Promise<unknown>>> = {
      login: (port) => login(arrayAt({ port }), apiToken(API)),
      logout: (port) => logout(session(port)),
      request: (port) => request(session(port), GET_ARRAYS),
    };
    const names: Readonly<Record<string, (token: string) => string>> = {
      'as a name': (token) => token,
      'in a name, in upper case': (token) => `${token.toUpperCase()}.example.com`,
      'in a name that is cut': (token) => `${'x'.repeat(180)}.${token}`,
    };
    const tokensOf: Readonly<Record<string, readonly string[]>> = {
      login: [API, FORMER],
      logout: [API, AUTH, FORMER],
      request: [API, AUTH, FORMER],
    };
    const cases = Object.keys(asking).flatMap((call) =>
      (tokensOf[call] ?? []).flatMap((token) => Object.keys(names).map((name) => [call, token, name] as const)),
    );

    test.for(cases)('by the error of a %s (%s, %s)', async ([call, token, name]) => {
      const told = names[name]?.(token) ?? '';
      const forger = await createAuthority({ name: told });
      for (const issued of [await forger.issue({ names: [told] }), await forger.issue({ names: [], addresses: [] })]) {
        const server = await startServer(reply(200), issued);
        const error = await failureOf(asking[call]?.(server.port) ?? Promise.resolve());
        expect(error).toMatchObject({ code: 'ARRAY_UNTRUSTED' });
        expect(error.message).toContain('It presented a certificate for');
        expect(printed(error).toLowerCase()).not.toContain(token.toLowerCase().slice(0, 12));
      }
    });

    test('by the error of a call without a token, if it looks like an API token', async () => {
      const forger = await createAuthority({ name: FORMER });
      const server = await startServer(reply(200), await forger.issue({ names: [`${FORMER}.example.com`] }));
      const error = await failureOf(apiVersionsWithHttpInfo(arrayAt(server)));
      expect(error.message).toContain('a certificate for DNS:[API token].example.com');
      expect(error.message).toContain('issued by CN=[API token], valid');
    });

    test('by the error of a wrong fingerprint', async () => {
      const pins = { kind: 'fingerprints', fingerprints: ['0'.repeat(64)] } as const;
      const server = await startServer(reply(200), await authority.issue({ names: [API] }));
      const error = await failureOf(login(arrayAt(server, { trust: pins }), apiToken(API)));
      expect(error.message).toContain('a certificate for DNS:[API token]');
    });
  });
});
