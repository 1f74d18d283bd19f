/** Verifies message pacts against their providers. Unlike Pact, it also rejects tokens, and fields that are not in the pact. */
import { type MessageInteraction, type MessagePact, titleOf } from '../pact-file.ts';
import { startLoopback } from '../verification/loopback.ts';
import { mask } from '../verification/mask.ts';
import type { RawResult, Verifier } from '../verification/verifier.ts';
import { mismatchesOf, resultOf, type Verification, verifyFile } from '../verification/verify.ts';

export type MessageProvider = {
  /** Returns the event or, for an invocation, the result for `input`. Rejects with an Error that explains why nothing was produced. */
  readonly produce: (description: string, input: unknown) => Promise<unknown>;
  /** Every token used to produce the messages. */
  readonly tokens: () => readonly string[];
};

/**
 * Resolves even if the provider or verifier fails. The result never contains a token. `exact`: a message must not have fields that are not
 * in the pact.
 */
export async function verifyMessages(
  pact: MessagePact,
  { produce, tokens }: MessageProvider,
  verifier: Pick<Verifier, 'verify'>,
  { exact = true }: { readonly exact?: boolean } = {},
): Promise<Verification> {
  const produced = new Map<string, Produced>();
  const server = await startLoopback(async (_request, body, response) => {
    response.setHeader('Content-Type', 'application/json');
    const { description, request } = Object(JSON.parse(body)) as MessageRequest;
    // The verifier also sends state change requests, but messages have no states.
    if (description === undefined) return void response.end('{}');
    const one = await valueOrReason(() => produce(description, request?.contents?.content));
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
      reasons: reasonsOf(interaction, raw, produced.get(interaction.description), tokens(), exact).map((reason) =>
        mask(reason, tokens()),
      ),
    })),
    findings: findings.map((finding) => mask(finding, tokens())),
  };
}

type MessageRequest = {
  readonly description?: string;
  readonly request?: { readonly contents?: { readonly content?: unknown } };
};
/** `why` explains a missing value. It is needed because the verifier ignores the response status and accepts any matching body. */
type Produced = { readonly value?: unknown; readonly why?: string };

async function valueOrReason(act: () => Promise<unknown>): Promise<Produced> {
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
  exact: boolean,
): string[] {
  const result = resultOf(interaction, raw);
  if (typeof result === 'string') return [result];
  if (produced?.why !== undefined) return [produced.why];
  const text = JSON.stringify(produced?.value) ?? '';
  const { contents, response } = interaction;
  return [
    ...mismatchesOf(result),
    ...(exact ? extraFields(produced?.value, (contents ?? response?.[0]?.contents)?.content, '') : []).map(
      (field) => `${field} is sent, but is not in the pact`,
    ),
    ...(mask(text, tokens) === text ? [] : ['the message contains a token or something that looks like one']),
  ];
}

/** Returns the message fields that are missing from the pact's example. Pact ignores such fields. */
function extraFields(value: unknown, example: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const known = Object(example) as Readonly<Record<string, unknown>>;
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return Object.hasOwn(known, name) ? extraFields(inner, known[name], at) : [at];
  });
}
