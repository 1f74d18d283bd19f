import type { KMSClient } from '@aws-sdk/client-kms';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createSeal } from '../../../lib/aws/seal.ts';
import { authToken, type FlashBlade } from '../../../lib/core/model.ts';
import { sealContext } from '../../../lib/leases/items.ts';
import { awsWithClients } from '../../kit/aws/clients.ts';
import { memoryKms } from '../../kit/memory/memory-kms.ts';
import { patience } from './patience.ts';

const TOKEN = 'b7a1c2d3-0000-4000-8000-aabbccddeeff';
const FB1: FlashBlade = { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } };
const soon = (): number => Date.now() + 60_000;
patience();

async function kms() {
  const { aws, kms: client } = await awsWithClients();
  const { arn } = aws.kms.createKey();
  return { aws, client, seal: createSeal(client, arn) };
}

describe('a sealed auth token', () => {
  it('unseals for the same lease, array, host and trust, and does not show the token', async () => {
    const { seal } = await kms();
    const context = sealContext('job', FB1);
    const sealed = seal.seal(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    expect(sealed).not.toContain(TOKEN);
    expect(sealed).toMatch(/^1\.[\w-]+\.[\w-]+\.[\w-]+$/);
    expect((await seal.unseal(sealed, context, soon())).reveal()).toBe(TOKEN);
  });

  it('overwrites its data key in memory after use', async () => {
    const { seal } = await kms();
    const context = sealContext('job', FB1);
    const key = await seal.dataKey(context, soon());
    seal.seal(key, authToken(TOKEN), context);
    expect(key.plaintext.every((byte) => byte === 0)).toBe(true);
  });

  it.each([
    ['another lease', 'other', FB1],
    ['another array', 'job', { ...FB1, name: 'fb2' }],
    ['another host', 'job', { ...FB1, host: 'fb2.example.com' }],
    ['another port', 'job', { ...FB1, port: 444 }],
    ['another trust', 'job', { ...FB1, trust: { kind: 'fingerprints', fingerprints: ['ab'] } }],
  ] as const)('does not unseal for %s', async (_what, leaseId, target) => {
    const { seal } = await kms();
    const context = sealContext('job', FB1);
    const sealed = seal.seal(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    const call = seal.unseal(sealed, sealContext(leaseId, target), soon());
    await expect(call).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });

  it('does not unseal with another KMS key', async () => {
    const { aws, client, seal } = await kms();
    const context = sealContext('job', FB1);
    const sealed = seal.seal(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    const other = createSeal(client, aws.kms.createKey().arn);
    await expect(other.unseal(sealed, context, soon())).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });

  it('does not unseal after any change of a character, and the error does not quote it', async () => {
    const seal = createSeal(memoryKms(), 'key');
    const context = sealContext('job', FB1);
    const sealed = seal.seal(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.constantFrom(...'ABCxyz019-_.'), async (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        // The last character of a part may differ only in bits that belong to no byte.
        fc.pre(bytesOf(changed) !== bytesOf(sealed));
        const error = await seal.unseal(changed, context, soon()).catch((thrown) => thrown);
        expect(error).toMatchObject({ code: 'LEASE_ALTERED' });
        expect(error.message).not.toContain(sealed.slice(0, 12));
      }),
    );
  });

  const [nonce, box] = ['A'.repeat(16), 'A'.repeat(23)];
  it.each([
    ...['', '1', '1...', '2.a.b.c', 'x'.repeat(10_000)],
    ...[`2.AAAA.${nonce}.${box}`, `1.AAAA.${nonce}.${box}.A`, `1..${nonce}.${box}`, `1.AAAA.${nonce}`],
    ...[`1.AAAA.${nonce}AA.${box}`, `1.AAAA..${box}`, `1.AAAA.${nonce}.${'A'.repeat(22)}`, `1.AAAA.${nonce}.`],
  ])('is refused without a KMS call if its format is wrong (%#)', async (text) => {
    const asked = vi.fn();
    const seal = createSeal({ send: asked } as unknown as KMSClient, 'key');
    await expect(seal.unseal(text, sealContext('job', FB1), soon())).rejects.toMatchObject({
      code: 'LEASE_ALTERED',
      message:
        'could not unseal the auth token for lease job on array fb1: the lease table item was changed or copied, or LEASE_KEY names a different key. Find out who made the change',
    });
    expect(asked).not.toHaveBeenCalled();
  });

  it.each([
    ['another lease', 'other', FB1],
    ['another array', 'job', { ...FB1, name: 'fb2' }],
    ['another host', 'job', { ...FB1, host: 'fb2.example.com' }],
    ['another trust', 'job', { ...FB1, trust: { kind: 'ca', ca: 'theirs' } }],
  ] as const)('does not unseal for %s even if KMS ignores the context', async (_, leaseId, target) => {
    const key = Buffer.alloc(32, 7);
    const careless = { send: async () => ({ Plaintext: Buffer.from(key), CiphertextBlob: Buffer.alloc(16, 1) }) };
    const seal = createSeal(careless as unknown as KMSClient, 'key');
    const context = sealContext('job', FB1);
    const sealed = seal.seal(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    expect((await seal.unseal(sealed, context, soon())).reveal()).toBe(TOKEN);
    const call = seal.unseal(sealed, sealContext(leaseId, target), soon());
    await expect(call).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });

  it('may consist of any characters, and unsealing overwrites its key in memory', async () => {
    const keys: Buffer[] = [];
    const { send } = memoryKms();
    const noting = {
      send: async (command: never) => {
        const answer = (await send(command)) as unknown as { Plaintext: Buffer };
        keys.push(answer.Plaintext);
        return answer;
      },
    };
    const seal = createSeal(noting as unknown as KMSClient, 'key');
    const context = sealContext('job', FB1);
    const sealed = seal.seal(await seal.dataKey(context, soon()), authToken('tökén ✓'), context);
    expect((await seal.unseal(sealed, context, soon())).reveal()).toBe('tökén ✓');
    expect(keys.map((key) => key.every((byte) => byte === 0))).toEqual([true, true]);
  });

  it.each(['throttle', 'deny', 'reset', 'garbage'] as const)(
    'is not reported as altered if KMS fails (%s)',
    async (kind) => {
      const { aws, seal } = await kms();
      const context = sealContext('job', FB1);
      const sealed = seal.seal(await seal.dataKey(context, soon()), authToken(TOKEN), context);
      aws.faults.add({ service: 'kms', kind });
      const failure = (what: string) => ({
        code: 'AWS_UNAVAILABLE',
        message: expect.stringContaining(`could not ${what}: `),
      });
      const unsealing = seal.unseal(sealed, context, soon());
      await expect(unsealing).rejects.toMatchObject(failure('unseal an auth token with KMS'));
      await expect(seal.dataKey(context, soon())).rejects.toMatchObject(failure('get a data key from KMS'));
    },
  );
});

describe('if KMS returns no key of 32 bytes', () => {
  const context = sealContext('job', FB1);
  const sealOver = (output: object) => createSeal({ send: async () => output } as unknown as KMSClient, 'key');

  it.each([
    ['no key', { CiphertextBlob: Buffer.alloc(16) }],
    ['a short key', { Plaintext: Buffer.alloc(16), CiphertextBlob: Buffer.alloc(16) }],
    ['nothing to keep', { Plaintext: Buffer.alloc(32) }],
  ])('dataKey fails (%s)', async (_, output) => {
    const call = sealOver(output).dataKey(context, soon());
    await expect(call).rejects.toMatchObject({
      code: 'AWS_UNAVAILABLE',
      message: 'KMS returned no data key. Try again',
    });
  });

  it.each([[{}], [{ Plaintext: Buffer.alloc(16) }]])('unseal fails (%j)', async (output) => {
    const seal = createSeal(memoryKms(), 'key');
    const sealed = seal.seal(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    const call = sealOver(output).unseal(sealed, context, soon());
    await expect(call).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });
});

const bytesOf = (sealed: string): string =>
  sealed
    .split('.')
    .map((part, n) => (n === 0 ? part : Buffer.from(part, 'base64url').toString('hex')))
    .join('.');
