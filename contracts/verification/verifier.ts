/** Runs Pact's verifier in a child process, one verification at a time. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import * as v from 'valibot';
import type { Job, Outcome } from './verifier-process.ts';

const LIMIT_MS = 120_000;

const KEPT = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'CI', 'NO_COLOR', 'FORCE_COLOR', 'TERM'];

/**
 * Builds the environment for Pact's tools. Omits API tokens, proxy settings (a proxy would see tokens), and the variables that would make
 * Pact skip interactions: PACT_DESCRIPTION, PACT_PROVIDER_STATE and PACT_PROVIDER_NO_STATE. PACT_DO_NOT_TRACK must be `true` before Pact's
 * library is loaded.
 */
export const toolEnvironment = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...Object.fromEntries(KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  PACT_DO_NOT_TRACK: 'true',
  ...more,
});

const results = v.object({
  interactionResults: v.array(
    v.object({
      description: v.string(),
      providerStates: v.array(v.string()),
      pending: v.boolean(),
      result: v.string(),
      mismatch: v.optional(
        v.object({
          message: v.optional(v.string()),
          mismatches: v.optional(v.array(v.object({ type: v.string(), mismatch: v.string() }))),
        }),
      ),
    }),
  ),
});

/** The verifier's result for one interaction. */
export type RawResult = v.InferOutput<typeof results>['interactionResults'][number];

export type Verifier = {
  /** Verifies one pact file. Rejects if the verifier reports no result. */
  readonly verify: (job: Job) => Promise<readonly RawResult[]>;
  readonly stop: () => Promise<void>;
};

/** Starts a process that runs until you call `stop`. */
export function startVerifier(): Verifier {
  const child = fork(resolve(import.meta.dirname, 'verifier-process.ts'), {
    env: toolEnvironment(),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = once(child, 'exit');
  return {
    verify: async (job) => toResults(await ask(child, job)),
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function ask(child: ChildProcess, job: Job): Promise<Outcome> {
  return new Promise((answered, reject) => {
    const fail = (why: string) => {
      stopWaiting();
      reject(new Error(`the verifier ${why}; no interaction was verified`));
    };
    const onMessage = (outcome: Outcome) => {
      stopWaiting();
      answered(outcome);
    };
    const onExit = () => fail('exited before it reported a result');
    const timer = setTimeout(() => fail(`reported no result within ${LIMIT_MS / 1000} s`), LIMIT_MS);
    const stopWaiting = () => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
    if (child.connected) child.send(job);
    else onExit();
  });
}

function toResults({ json }: Outcome): readonly RawResult[] {
  const parsed = v.safeParse(results, parseJson(json ?? ''));
  if (parsed.success) return parsed.output.interactionResults;
  throw new Error('the verifier reported no interactions. Check that the file is a pact with HTTP interactions');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
