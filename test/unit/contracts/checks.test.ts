/** The checks of a pact find nothing in the committed pact, and find every deliberate mistake. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkDrift, checkPact } from '../../../contracts/checks/pact-checks.ts';
import { checkPaths, shippedSources } from '../../../contracts/checks/paths.ts';
import { checkVendor } from '../../../contracts/checks/vendor.ts';
import { declareOnce } from '../../../contracts/consumer/output.ts';
import { type Interaction, normalText, PACT_FILE, type Pact, readPact } from '../../../contracts/pact-file.ts';
import { pact } from './providers.ts';

const VALID = 'a login with a valid API token';
const OPEN = 'a logout of an open session';

/** The committed pact with one interaction changed. The change may violate the type. */
function changed(description: string, change: (interaction: Interaction) => object): Pact {
  const interactions = pact.interactions.map((one) =>
    one.description === description ? (change(structuredClone(one)) as Interaction) : one,
  );
  expect(interactions).not.toEqual(pact.interactions);
  return { ...pact, interactions };
}

/** A reference to a value of a state, as pacts write it. */
const fromState = (name: string): string => `$\{${name}}`;

const asText = (interaction: Interaction, from: string, to: string): object =>
  JSON.parse(JSON.stringify(interaction).replaceAll(from, to));

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-drift-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'pact.json');
  writeFileSync(file, text);
  return file;
}

describe('the committed pact', () => {
  it('the committed pact passes every check', () => {
    expect(checkPact(pact)).toEqual([]);
    expect(checkPaths(pact, shippedSources())).toEqual([]);
    expect(checkVendor(pact)).toEqual([]);
    expect(checkDrift(pact, PACT_FILE)).toEqual([]);
  });

  it('the committed pact does not depend on the versions of the tools that wrote it', () => {
    const other = { ...pact, metadata: { ...pact.metadata, 'pact-js': { version: '99' } } };
    expect(checkDrift(other, PACT_FILE)).toEqual([]);
    expect(normalText(pact)).not.toContain('pact-js');
  });
});

describe('a pact is refused if', () => {
  it.each([
    ['it has no interaction', { ...pact, interactions: [] }, 'the pact has no interaction'],
    ['an interaction is pending', changed(VALID, (one) => ({ ...one, pending: true })), 'is pending, '],
    [
      'an interaction occurs twice',
      { ...pact, interactions: [...pact.interactions, ...pact.interactions.slice(0, 1)] },
      'occurs twice. Give',
    ],
    [
      'a state is not in the vocabulary',
      changed(VALID, (one) => ({ ...one, providerStates: [{ name: 'a token' }] })),
      'requires the state "a token", which is not in the vocabulary. Use one of: an API token is valid',
    ],
    [
      'a state of an older pact is not in the vocabulary',
      changed(VALID, ({ providerStates: _, ...one }) => ({ ...one, providerState: 'old' })),
      'requires the state "old"',
    ],
    [
      'it uses a value that no state returns',
      changed(VALID, (one) => asText(one, fromState('apiToken'), fromState('token'))),
      `uses ${fromState('token')}, which none of its states returns`,
    ],
    [
      'it uses a value in a path that no state returns',
      changed('a read in an open session', (one) => asText(one, fromState('version'), fromState('newest'))),
      `uses ${fromState('newest')}`,
    ],
    [
      'it contains a message',
      changed(VALID, ({ description, type: _ }) => ({ description, type: 'Asynchronous/Messages' })),
      'is not a request with a response',
    ],
  ])('%s', (_, wrong, finding) => {
    expect(checkPact(wrong)).toContainEqual(expect.stringContaining(finding));
  });
});

describe('drift from the committed pact is reported if the consumer tests', () => {
  it.each([
    [
      'declare a new interaction',
      { ...pact, interactions: [...pact.interactions, { ...pact.interactions[0], description: 'x' } as Interaction] },
      'new: "x (the array',
    ],
    [
      'no longer declare an interaction',
      { ...pact, interactions: pact.interactions.slice(1) },
      'removed: "a login while',
    ],
    [
      'declare an interaction differently',
      changed(VALID, (one) => asText(one, 'pureuser', 'root')),
      `changed: "${VALID} (`,
    ],
    [
      'name another consumer',
      { ...pact, consumer: { name: 'x' } },
      'the interactions match, but something else differs',
    ],
  ])('%s', (_, generated, finding) => {
    const [found] = checkDrift(generated, PACT_FILE);
    expect(found).toContain(finding);
    expect(found).toContain('`npm run contracts -- --accept`');
  });

  it('were never accepted as a committed pact', () => {
    expect(checkDrift(pact, 'no such file')).toEqual([expect.stringContaining('there is no committed pact')]);
    expect(checkDrift(pact, fileWith(normalText(pact)))).toEqual([]);
  });
});

describe("the vendor's description does not contain what a pact has with", () => {
  const [ARRAYS, SESSIONS] = ['a read of the idle timeout', 'a read of the open sessions'];
  it.each([
    ['another path', VALID, '"/api/login"', '"/api/2.26/login"', 'calls POST /api/{version}/login'],
    ['another method', VALID, '"POST"', '"PUT"', 'calls PUT /api/login'],
    ['another header for the API token', VALID, '"api-token"', '"x-api-token"', 'without the header api-token'],
    ['a header that no operation has', OPEN, '"x-auth-token"', '"cookie"', 'sends the header cookie'],
    ['another status', OPEN, '"status":200', '"status":204', 'expects status 204'],
    ['another response header', VALID, '"x-auth-token":["0', '"x-session":["0', 'expects the header x-session'],
    ['another field', VALID, '{"username":"pureuser"}', '{"user":"pureuser"}', 'expects user from POST /api/login'],
    ['another type', VALID, '{"username":"pureuser"}', '{"username":42}', 'expects username to be a number'],
    ['a string instead of a list', 'a request for the API versions', '["2.26"]', '"2.26"', 'versions not to be a list'],
    ['a list instead of an object', ARRAYS, '{"idle_timeout":3600000}', '[]', 'items not to be an object'],
    ['a time as text', SESSIONS, '"start_time":1800000000000', '"start_time":"now"', 'start_time not to be an integer'],
    ['a field of another list', SESSIONS, '"start_time":1800000000000', '"expires_at":1', 'expects expires_at'],
    ['another query', SESSIONS, '"limit":', '"max":', 'sends max in the query'],
    ['a list since another version', SESSIONS, '"since":"2.3"', '"since":"2.0"', 'since REST 2.0'],
    ['a body in a request', SESSIONS, '"content":""', '"content":"{}"', 'sends a body to GET'],
  ])('%s', (_, description, from, to, finding) => {
    const findings = checkVendor(changed(description, (one) => asText(one, from, to)));
    expect(findings).toContainEqual(expect.stringContaining(finding));
    for (const one of findings) expect(one).toContain('which the vendor does not describe. Correct the interaction');
  });

  it('a body in the response to a logout', () => {
    const body = { content: { a: 1 }, contentType: 'application/json', encoded: false };
    const findings = checkVendor(changed(OPEN, (one) => ({ ...one, response: { ...one.response, body } })));
    expect(findings).toEqual([expect.stringContaining('expects the body from POST /api/logout')]);
  });
});

it('an interaction that is declared twice is refused, although Pact accepts it', () => {
  declareOnce('one');
  declareOnce('another');
  expect(() => declareOnce('one')).toThrow('declared twice: one. Give one interaction a different description.');
});

it('a pact that is written and read again is unchanged', () => {
  expect(readPact(fileWith(normalText(pact)))).toEqual(pact);
});
