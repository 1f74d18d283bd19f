/** The checks of a pact: silent about the committed one, loud about each thing that is wrong on purpose. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkDrift } from '../../../contracts/checks/drift.ts';
import { checkOpenApi } from '../../../contracts/checks/openapi.ts';
import { checkPact } from '../../../contracts/checks/pact-checks.ts';
import { checkPaths, shippedSources } from '../../../contracts/checks/paths.ts';
import { declareOnce } from '../../../contracts/consumer/declared.ts';
import { type Interaction, normalText, PACT_FILE, type Pact, readPact } from '../../../contracts/pact-file.ts';
import { pact } from './providers.ts';

const VALID = 'a login with a valid API token';
const OPEN = 'a logout of an open session';

/** The committed pact, one interaction of it changed. `any`, because a change may make it wrong in every way. */
function changed(description: string, change: (interaction: Interaction) => object): Pact {
  const interactions = pact.interactions.map((one) =>
    one.description === description ? (change(structuredClone(one)) as Interaction) : one,
  );
  expect(interactions).not.toEqual(pact.interactions);
  return { ...pact, interactions };
}

/** As pacts and templates write it. */
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
  it('has nothing that any check finds', async () => {
    expect(checkPact(pact)).toEqual([]);
    expect(checkPaths(pact, shippedSources())).toEqual([]);
    expect(await checkOpenApi(pact)).toEqual([]);
    expect(checkDrift(pact, PACT_FILE)).toEqual([]);
  });

  it('does not change with the versions of the tools that wrote it', () => {
    const other = { ...pact, metadata: { ...pact.metadata, 'pact-js': { version: '99' } } };
    expect(checkDrift(other, PACT_FILE)).toEqual([]);
    expect(normalText(pact)).not.toContain('pact-js');
  });
});

describe('a pact is refused if', () => {
  it.each([
    ['it has no interaction', { ...pact, interactions: [] }, 'the pact has no interaction'],
    ['an interaction is pending', changed(VALID, (one) => ({ ...one, pending: true })), 'is pending: '],
    [
      'an interaction is there twice',
      { ...pact, interactions: [...pact.interactions, ...pact.interactions.slice(0, 1)] },
      'is there twice. Give',
    ],
    [
      'a state is not in the vocabulary',
      changed(VALID, (one) => ({ ...one, providerStates: [{ name: 'a token' }] })),
      'wants the state "a token", which is not in the vocabulary. Add it to contracts/states.ts, or use one of: an API token is valid',
    ],
    [
      'a state of an older pact is not in the vocabulary',
      changed(VALID, ({ providerStates: _, ...one }) => ({ ...one, providerState: 'old' })),
      'wants the state "old"',
    ],
    [
      'it uses a value that no state gives back',
      changed(VALID, (one) => asText(one, fromState('apiToken'), fromState('token'))),
      `uses ${fromState('token')}, which none of its states gives back`,
    ],
    [
      'it uses a value in a path that no state gives back',
      changed('a read under an open session', (one) => asText(one, fromState('version'), fromState('newest'))),
      `uses ${fromState('newest')}`,
    ],
    [
      'it holds a message',
      changed(VALID, ({ description, type: _ }) => ({ description, type: 'Asynchronous/Messages' })),
      'is not a request with its response',
    ],
  ])('%s', (_, wrong, finding) => {
    expect(checkPact(wrong)).toContainEqual(expect.stringContaining(finding));
  });
});

describe('the committed pact has drifted if the consumer tests', () => {
  it.each([
    [
      'say something new',
      { ...pact, interactions: [...pact.interactions, { ...pact.interactions[0], description: 'x' } as Interaction] },
      'new: "x (the array',
    ],
    ['do not say something any more', { ...pact, interactions: pact.interactions.slice(1) }, 'gone: "a login while'],
    ['say something else', changed(VALID, (one) => asText(one, 'pureuser', 'root')), `changed: "${VALID} (`],
    ['name another consumer', { ...pact, consumer: { name: 'x' } }, 'something other than its interactions'],
  ])('%s', (_, generated, finding) => {
    const [found] = checkDrift(generated, PACT_FILE);
    expect(found).toContain(finding);
    expect(found).toContain('`npm run contracts -- --accept`');
  });

  it('were never accepted', () => {
    expect(checkDrift(pact, 'no such file')).toEqual([expect.stringContaining('there is no committed pact')]);
    expect(checkDrift(pact, fileWith(normalText(pact)))).toEqual([]);
  });
});

describe('the OpenAPI file disagrees with', () => {
  it.each([
    ['another path', VALID, '"/api/login"', '"/api/2.26/login"'],
    ['another method', VALID, '"POST"', '"PUT"'],
    ['another token header', VALID, '"api-token"', '"x-api-token"'],
    ['another token header of a logout', OPEN, '"x-auth-token"', '"x-token"'],
    ['another status', OPEN, '"status":200', '"status":204'],
    ['another answer header', VALID, '"x-auth-token"', '"x-session"'],
    ['another type of answer', VALID, '"application/json"', '"text/html"'],
    ['another field', VALID, '"username":"pureuser"', '"user":"pureuser"'],
    ['a username that is a number', VALID, '"username":"pureuser"', '"username":42'],
    ['a username that is nothing', VALID, '"username":"pureuser"', '"username":""'],
    ['a list that is none', 'a request for the API versions', '["2.26"]', '"2.26"'],
    ['a version that is none', 'a request for the API versions', '["2.26"]', '["x"]'],
  ])('%s', async (_, description, from, to) => {
    const findings = await checkOpenApi(changed(description, (one) => asText(one, from, to)));
    expect(findings).not.toEqual([]);
    for (const finding of findings) expect(finding).toContain('disagree: ');
  });
});

it('the OpenAPI file disagrees with an answer to a logout that has a body', async () => {
  const body = { content: { a: 1 }, contentType: 'application/json', encoded: false };
  const findings = await checkOpenApi(changed(OPEN, (one) => ({ ...one, response: { ...one.response, body } })));
  expect(findings).not.toEqual([]);
});

it('a mere warning about something that the OpenAPI file does not know is a finding, too', async () => {
  const body = { content: { a: 1 }, contentType: 'application/json', encoded: false };
  const withBody = changed(OPEN, (one) => ({ ...one, request: { ...one.request, body } }));
  expect(await checkOpenApi(withBody)).toEqual([expect.stringContaining('(request.body.unknown)')]);
});

it('an interaction that is declared twice is refused, which Pact would not do', () => {
  declareOnce('one');
  declareOnce('another');
  expect(() => declareOnce('one')).toThrow('declared twice: one. Give one of the two another description.');
});

it('a file with the same pact in it is read as the same pact', () => {
  expect(readPact(fileWith(normalText(pact)))).toEqual(pact);
});
