/** Pacts of programs that listen to the functions' events, as Pact's own tools write them. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MatchersV3, MessageConsumerPact, PactV4 } from '@pact-foundation/pact';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startFunctions } from '../../../contracts/messages/functions.ts';
import { isMessage, listenerOf } from '../../../contracts/messages/listeners.ts';
import { verifyMessages } from '../../../contracts/messages/verify.ts';
import { type AnyPact, readAnyPact } from '../../../contracts/pact-file.ts';
import { startVerifier } from '../../../contracts/verification/verifier.ts';

// Pact's native library reads this variable when it is loaded.
vi.hoisted(() => {
  process.env['PACT_DO_NOT_TRACK'] = 'true';
});

const verifier = startVerifier();
const functions = await startFunctions();
afterAll(async () => {
  await Promise.all([verifier.stop(), functions.stop()]);
});

const NAMES = { consumer: 'dashboard', provider: 'sessions' };

/** The pact that `write` writes to the folder. */
async function written(write: (dir: string) => Promise<unknown>): Promise<AnyPact> {
  const dir = mkdtempSync(join(tmpdir(), 'flashblade-listener-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  await write(dir);
  return readAnyPact(join(dir, readdirSync(dir)[0] ?? ''));
}

type Content = Parameters<typeof MatchersV3.like>[0];

/** A pact in version 4 of the specification with one event. */
const event = (description: string, content: object, state?: string) =>
  written((dir) => {
    const message = new PactV4({ dir, ...NAMES, logLevel: 'error' }).addAsynchronousInteraction();
    return (state === undefined ? message : message.given(state))
      .expectsToReceive(description, (builder) => builder.withJSONContent(content as never))
      .executeTest(async () => {});
  });

async function reasonsFor(theirs: AnyPact): Promise<Readonly<Record<string, readonly string[]>>> {
  expect(theirs.interactions.every(isMessage)).toBe(true);
  const { pact, findings, served } = listenerOf(theirs);
  expect(findings).toEqual([]);
  const { interactions } = await verifyMessages(pact, served(functions), verifier, { exact: false });
  return Object.fromEntries(interactions.map(({ title, reasons }) => [title, reasons]));
}

const opened = (detail: object) => ({ 'detail-type': 'Session Opened', detail });
const closed = (detail: object) => ({ 'detail-type': 'Session Closed', detail });

describe("a listener's pact", () => {
  it('may pin only the fields that the listener reads, in version 4 of the specification', async () => {
    const pact = await event('a new session', opened({ array: MatchersV3.string('fb7') }));
    expect(await reasonsFor(pact)).toEqual({ 'a new session, when a session was opened': [] });
  });

  it('may be written in version 3 of the specification', async () => {
    const pact = await written((dir) =>
      new MessageConsumerPact({ dir, ...NAMES, pactfileWriteMode: 'update', logLevel: 'error' })
        .expectsToReceive('a new session')
        .withContent(opened({ array: MatchersV3.string('fb7'), expiresAt: MatchersV3.integer(1) }) as Content)
        .verify(async () => {}),
    );
    expect(await reasonsFor(pact)).toEqual({ 'a new session, when a session was opened': [] });
  });

  it('is verified on every occasion on which the event is sent', async () => {
    const pact = await event('the end', closed({ leaseId: MatchersV3.string('x'), owner: MatchersV3.string('x') }));
    expect(await reasonsFor(pact)).toEqual({
      'the end, when a session was closed by lease id': [expect.stringContaining('owner')],
      'the end, when a session was closed because its owner was released': [],
    });
  });

  it('may name one occasion in the state or the description', async () => {
    const occasion = 'a session was closed because its owner was released';
    const content = closed({ owner: MatchersV3.string('x') });
    expect(await reasonsFor(await event('the end', content, occasion))).toEqual({ [`the end, when ${occasion}`]: [] });
    expect(await reasonsFor(await event(occasion, content))).toEqual({ [occasion]: [] });
  });

  it.each([
    ['a field that is not sent', opened({ host: MatchersV3.string('x') }), 'host'],
    ['another type', opened({ expiresAt: MatchersV3.string('x') }), 'to be the same type'],
    ['another value', opened({ array: 'fb7' }), "'fb7'"],
    ['a field of the envelope, which EventBridge adds', { ...opened({}), account: MatchersV3.string('1') }, 'account'],
  ])('fails if it pins %s', async (_, content, reason) => {
    const [reasons] = Object.values(await reasonsFor(await event('a new session', content)));
    expect(reasons).toEqual([expect.stringContaining(reason)]);
  });

  it('is refused if it expects an event that the functions do not send', async () => {
    const { findings } = listenerOf(await event('x', { 'detail-type': 'Session Requested', detail: {} }));
    expect(findings).toEqual([
      '"x" is not an event that the functions send. Set its "detail-type" to one of: Session Opened · Session Closed · Session Failed.',
    ]);
  });

  it('may contain an invocation of a function with its result', async () => {
    const pact = await written((dir) =>
      new PactV4({ dir, ...NAMES, logLevel: 'error' })
        .addSynchronousInteraction('login: for my job')
        .withRequest((request) => request.withJSONContent({ array: 'fb1', leaseId: 'my-job' }))
        .withResponse((response) => response.withJSONContent({ leaseId: 'my-job' }))
        .executeTest(async () => {}),
    );
    expect(await reasonsFor(pact)).toEqual({ 'login: for my job': [] });
  });
});
