import type { KMSClient } from '@aws-sdk/client-kms';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { sealContext, sealOf, sealToken } from '../../lib/edges/seal.ts';
import { authToken, type FlashBlade } from '../../lib/ground/model.ts';
import { awsWithClients } from '../aws/clients.ts';
import { memoryKms } from '../story/memory-kms.ts';
import { patience } from './patience.ts';

const TOKEN = 'b7a1c2d3-0000-4000-8000-aabbccddeeff';
const FB1: FlashBlade = { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } };
const soon = (): number => Date.now() + 60_000;
patience();

async function kms() {
  const { aws, kms: client } = await awsWithClients();
  const { arn } = aws.kms.createKey();
  return { aws, client, seal: sealOf(client, arn) };
}

describe('a sealed auth token', () => {
  it('comes out again under the same lease, array, host and trust, and shows nothing of itself', async () => {
    const { seal } = await kms();
    const context = sealContext('job', FB1);
    const sealed = sealToken(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    expect(sealed).not.toContain(TOKEN);
    expect(sealed).toMatch(/^1\.[\w-]+\.[\w-]+\.[\w-]+$/);
    expect((await seal.unseal(sealed, context, soon())).reveal()).toBe(TOKEN);
  });

  it('has a data key of its own that is gone from memory once it was used', async () => {
    const { seal } = await kms();
    const context = sealContext('job', FB1);
    const key = await seal.dataKey(context, soon());
    sealToken(key, authToken(TOKEN), context);
    expect(key.plaintext.every((byte) => byte === 0)).toBe(true);
  });

  it.each([
    ['another lease', 'other', FB1],
    ['another array', 'job', { ...FB1, name: 'fb2' }],
    ['another host', 'job', { ...FB1, host: 'fb2.example.com' }],
    ['another port', 'job', { ...FB1, port: 444 }],
    ['another trust', 'job', { ...FB1, trust: { kind: 'fingerprints', fingerprints: ['ab'] } }],
  ] as const)('does not come out for %s', async (_what, leaseId, target) => {
    const { seal } = await kms();
    const context = sealContext('job', FB1);
    const sealed = sealToken(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    const call = seal.unseal(sealed, sealContext(leaseId, target), soon());
    await expect(call).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });

  it('does not come out with another key', async () => {
    const { aws, client, seal } = await kms();
    const context = sealContext('job', FB1);
    const sealed = sealToken(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    const other = sealOf(client, aws.kms.createKey().arn);
    await expect(other.unseal(sealed, context, soon())).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });

  it('does not come out when any character of it was changed, and the error says nothing of it', async () => {
    const seal = sealOf(memoryKms(), 'key');
    const context = sealContext('job', FB1);
    const sealed = sealToken(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.constantFrom(...'ABCxyz019-_.'), async (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        // The last character of a part may differ in bits that no byte holds.
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
  ])('is refused if it never was one, and KMS is not asked (%#)', async (text) => {
    const asked = vi.fn();
    const seal = sealOf({ send: asked } as unknown as KMSClient, 'key');
    await expect(seal.unseal(text, sealContext('job', FB1), soon())).rejects.toMatchObject({
      code: 'LEASE_ALTERED',
      message:
        'the sealed token of lease job on array fb1 does not unseal: find out who changed or copied its item in the lease table, or whether the KMS key is another',
    });
    expect(asked).not.toHaveBeenCalled();
  });

  it.each([
    ['another lease', 'other', FB1],
    ['another array', 'job', { ...FB1, name: 'fb2' }],
    ['another host', 'job', { ...FB1, host: 'fb2.example.com' }],
    ['another trust', 'job', { ...FB1, trust: { kind: 'ca', ca: 'theirs' } }],
  ] as const)('does not come out for %s, should KMS not mind', async (_, leaseId, target) => {
    const key = Buffer.alloc(32, 7);
    const careless = { send: async () => ({ Plaintext: Buffer.from(key), CiphertextBlob: Buffer.alloc(16, 1) }) };
    const seal = sealOf(careless as unknown as KMSClient, 'key');
    const context = sealContext('job', FB1);
    const sealed = sealToken(await seal.dataKey(context, soon()), authToken(TOKEN), context);
    expect((await seal.unseal(sealed, context, soon())).reveal()).toBe(TOKEN);
    const call = seal.unseal(sealed, sealContext(leaseId, target), soon());
    await expect(call).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });

  it('may be of any characters, and its key is gone from memory once it came out', async () => {
    const keys: Buffer[] = [];
    const { send } = memoryKms();
    const noting = {
      send: async (command: never) => {
        const answer = (await send(command)) as unknown as { Plaintext: Buffer };
        keys.push(answer.Plaintext);
        return answer;
      },
    };
    const seal = sealOf(noting as unknown as KMSClient, 'key');
    const context = sealContext('job', FB1);
    const sealed = sealToken(await seal.dataKey(context, soon()), authToken('tökén ✓'), context);
    expect((await seal.unseal(sealed, context, soon())).reveal()).toBe('tökén ✓');
    expect(keys.map((key) => key.every((byte) => byte === 0))).toEqual([true, true]);
  });

  it.each(['throttle', 'deny', 'reset', 'garbage'] as const)(
    'is not taken for altered when KMS fails (%s)',
    async (kind) => {
      const { aws, seal } = await kms();
      const context = sealContext('job', FB1);
      const sealed = sealToken(await seal.dataKey(context, soon()), authToken(TOKEN), context);
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

describe('KMS that answers without a key of 32 bytes', () => {
  const context = sealContext('job', FB1);
  const answering = (answer: object) => sealOf({ send: async () => answer } as unknown as KMSClient, 'key');

  it.each([
    ['no key', { CiphertextBlob: Buffer.alloc(16) }],
    ['a short key', { Plaintext: Buffer.alloc(16), CiphertextBlob: Buffer.alloc(16) }],
    ['nothing to keep', { Plaintext: Buffer.alloc(32) }],
  ])('seals nothing (%s)', async (_, answer) => {
    const call = answering(answer).dataKey(context, soon());
    await expect(call).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', message: 'KMS answered without a data key' });
  });

  it.each([[{}], [{ Plaintext: Buffer.alloc(16) }]])('unseals nothing (%j)', async (answer) => {
    const key = await sealOf(memoryKms(), 'key').dataKey(context, soon());
    const call = answering(answer).unseal(sealToken(key, authToken(TOKEN), context), context, soon());
    await expect(call).rejects.toMatchObject({ code: 'LEASE_ALTERED' });
  });
});

const bytesOf = (sealed: string): string =>
  sealed
    .split('.')
    .map((part, n) => (n === 0 ? part : Buffer.from(part, 'base64url').toString('hex')))
    .join('.');
