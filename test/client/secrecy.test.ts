import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { apiVersions, login, logout, request } from '../../lib/edges/flashblade.ts';
import { FlashBladeError } from '../../lib/ground/errors.ts';
import { apiToken, authToken, type Session } from '../../lib/ground/model.ts';
import { failureOf } from './failures.ts';
import { arrayAt, JSON_TYPE, reply, startServer } from './servers.ts';
import { simulated } from './simulated.ts';

/** Every way in which a value usually gets into a log. */
const printed = (value: unknown): string =>
  [
    inspect(value, { depth: null, showHidden: true, getters: true }),
    inspect(value, { depth: null, customInspect: false, showHidden: true }),
    JSON.stringify(value),
    String(value),
    value instanceof Error ? `${value.stack} ${JSON.stringify(Object.getOwnPropertyDescriptors(value))}` : '',
  ].join('\n');

const SECRET = 'T-5ec2e7-abc';

/** The error; a logout may end well here, too: 403 means that the session is gone. */
const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: unknown) => {
    expect(error).toBeInstanceOf(FlashBladeError);
    return error;
  });

const session = (port: number): Session => ({ array: arrayAt({ port }), authToken: authToken(SECRET), username: 'u' });

test('a session that is printed shows no token', async () => {
  const { array, token } = await simulated();
  const opened = await login(array, token);
  const text = printed(opened);
  expect(text).toContain('[auth token]');
  expect(text).not.toContain(opened.authToken.reveal());
  expect(printed(token)).not.toContain(token.reveal());
  await logout(opened);
});

describe('an error that is printed shows no token, whatever the array says', () => {
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
  test.for(quoting.map((text, index) => [index, text] as const))('%i', async ([_, text]) => {
    const server = await startServer((socket) => socket.end(text));
    const calls = [login(arrayAt(server), apiToken(SECRET)), logout(session(server.port))];
    for (const error of await Promise.all(calls.map(outcomeOf))) {
      expect(printed(error).toLowerCase()).not.toContain(SECRET.toLowerCase().slice(0, 8));
    }
  });

  test('tokens that cannot be sent are not shown either', async () => {
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

  test('nor are requests that failed', async () => {
    const server = await startServer((socket) => socket.destroy());
    const error = await failureOf(login(arrayAt(server), apiToken(SECRET)));
    expect(printed(error)).not.toContain(SECRET);
    expect(error).not.toHaveProperty('cause');
  });
});

test("the array's own words are used only in the shapes that arrays use, short and on one line", async () => {
  const said = async (body: string) => {
    const server = await startServer(reply(404, body, JSON_TYPE));
    return (await failureOf(apiVersions(arrayAt(server)))).message;
  };
  expect(await said('{"error":[{"message":"Access\\n\\u0007Denied"}]}')).toContain('answered 404 ("AccessDenied") to');
  expect(await said('{"errors":[{"context":null,"message":"Gone."}]}')).toContain('("Gone.")');
  expect(await said('{"message":"invalid body"}')).toContain('("invalid body")');
  expect(await said(JSON.stringify({ message: 'x'.repeat(900) }))).toContain(`("${'x'.repeat(200)}")`);
  for (const body of [
    '<html>Oops</html>',
    '{"error":"Oops"}',
    '{"detail":"Oops"}',
    '"Oops"',
    '',
    '{"message":{"a":"Oops"}}',
  ]) {
    expect(await said(body)).toMatch(/answered 404 to/);
  }
});
