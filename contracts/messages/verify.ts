/** Message pacts against those who send or answer. Beyond what Pact looks at: no field that is not pinned, and no token. */
import { type MessageInteraction, type MessagePact, titleOf } from '../pact-file.ts';
import { startLoopback } from '../verification/loopback.ts';
import { mask } from '../verification/mask.ts';
import type { RawResult, Verifier } from '../verification/verifier.ts';
import { mismatchesOf, resultOf, type Verification, verifyFile } from '../verification/verify.ts';

export type MessageProvider = {
  /** The event that is sent, or what is answered to an input. Rejects with an Error that says why there is none. */
  readonly produce: (description: string, input: unknown) => Promise<unknown>;
  /** Every token that had to do with what was produced. */
  readonly tokens: () => readonly string[];
};

/** Never rejects for what provider or verifier do. No token is told. */
export async function verifyMessages(
  pact: MessagePact,
  { produce, tokens }: MessageProvider,
  verifier: Pick<Verifier, 'verify'>,
): Promise<Verification> {
  const produced = new Map<string, Produced>();
  const server = await startLoopback(async (_request, body, response) => {
    response.setHeader('Content-Type', 'application/json');
    const { description, request } = Object(JSON.parse(body)) as Wish;
    // The verifier also tells of states; messages have none.
    if (description === undefined) return void response.end('{}');
    const one = await settled(() => produce(description, request?.contents?.content));
    produced.set(description, one);
    response.end(JSON.stringify(one.value ?? {}));
  });
  let raw: readonly RawResult[] = [];
  const findings: string[] = [];
  try {
    raw = await verifyFile(pact, { providerUrl: server.url, stateUrl: server.url }, verifier);
  } catch (error) {
    findings.push(messageOf(error));
  } finally {
    await server.stop();
  }
  return {
    interactions: pact.interactions.map((interaction) => ({
      title: titleOf(interaction),
      reasons: reasonsOf(interaction, raw, produced.get(interaction.description), tokens()).map((reason) =>
        mask(reason, tokens()),
      ),
    })),
    findings: findings.map((finding) => mask(finding, tokens())),
  };
}

type Wish = {
  readonly description?: string;
  readonly request?: { readonly contents?: { readonly content?: unknown } };
};
/** `why` there is no value: the verifier would take any answer that fits, whatever its status. */
type Produced = { readonly value?: unknown; readonly why?: string };

async function settled(act: () => Promise<unknown>): Promise<Produced> {
  try {
    return { value: await act() };
  } catch (error) {
    return { why: `nothing was sent: ${messageOf(error)}` };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'an unexpected error');

function reasonsOf(
  interaction: MessageInteraction,
  raw: readonly RawResult[],
  produced: Produced | undefined,
  tokens: readonly string[],
): string[] {
  const result = resultOf(interaction, raw);
  if (typeof result === 'string') return [result];
  if (produced?.why !== undefined) return [produced.why];
  const text = JSON.stringify(produced?.value) ?? '';
  const { contents, response } = interaction;
  return [
    ...mismatchesOf(result),
    ...unpinned(produced?.value, (contents ?? response?.[0]?.contents)?.content, '').map(
      (field) => `${field} is sent, and no part of the pact`,
    ),
    ...(mask(text, tokens) === text ? [] : ['it holds a token, or what looks like one']),
  ];
}

/** Fields that a message has and the pact's example has not: Pact lets every one of them pass. */
function unpinned(value: unknown, example: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const known = Object(example) as Readonly<Record<string, unknown>>;
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return Object.hasOwn(known, name) ? unpinned(inner, known[name], at) : [at];
  });
}
