/** What a function asks of others while everybody else takes a known time: how much of that came one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Counts, counted } from '../../../test/packaged/counters/counted.ts';
import type { Everything } from '../../../test/packaged/counters/deployment.ts';
import { longestChain, type Span, timeCovered } from './spans.ts';

/** Milliseconds. Much longer than two calls that go out together are apart. */
export const AWS_MS = 20;
export const ARRAY_MS = 50;

export type Trace = {
  /** `dynamodb:PutItem`, in the order of their arrival. */
  readonly aws: readonly string[];
  readonly awsInARow: number;
  /** `POST /api/login` … */
  readonly array: readonly string[];
  readonly counts: Counts;
  readonly wallMs: number;
  /** Of that, while nobody else had anything to do. */
  readonly ownMs: number;
};

type Call = { readonly name: string; readonly from: number; to: number };

/** Notes calls from when they arrive until they are answered; each takes `ms` longer than it would. */
function slowly(ms: number) {
  const calls = new Map<object, Call>();
  const watch = async (phase: 'received' | 'done', request: object, name: string): Promise<void> => {
    const now = performance.now();
    const call = calls.get(request);
    if (call !== undefined && phase === 'done') call.to = now;
    if (phase === 'done') return;
    calls.set(request, { name, from: now, to: Number.POSITIVE_INFINITY });
    await sleep(ms);
  };
  return { watch, calls: (): readonly Call[] => [...calls.values()] };
}

export async function traced(d: Everything, work: () => Promise<unknown>): Promise<Trace> {
  const [aws, array] = [slowly(AWS_MS), slowly(ARRAY_MS)];
  const unwatch = d.aws.onCall((phase, call) => aws.watch(phase, call, `${call.service}:${call.action}`));
  d.watchArray((phase, request) => array.watch(phase, request, `${request.method} ${request.path}`));
  const startedAt = performance.now();
  const { counts } = await counted(d, work);
  const wallMs = performance.now() - startedAt;
  unwatch();
  d.watchArray(undefined);
  const all: readonly Span[] = [...aws.calls(), ...array.calls()];
  return {
    aws: aws.calls().map(({ name }) => name),
    awsInARow: longestChain(aws.calls()),
    array: array.calls().map(({ name }) => name),
    counts,
    wallMs,
    ownMs: wallMs - timeCovered(all),
  };
}
