/** Runs the runbook's recovery of the ledger against a stand-in that refuses unknown options and steps in the wrong order. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import * as cloudformation from '@aws-sdk/client-cloudformation';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as iam from '@aws-sdk/client-iam';
import * as lambda from '@aws-sdk/client-lambda';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { page } from '../../kit/pages.ts';
import { parseDocument } from '../../unit/docs/markdown.ts';
import { ARRAYS, initial, type Model, type State } from './fixtures/aws-stand-in.ts';

vi.setConfig({ testTimeout: 120_000 });

type Operation = readonly [
  9,
  string,
  string,
  object,
  () => readonly [3, string, string, unknown, string[], unknown, number?],
];
const SERVICES: Readonly<Record<string, object>> = { cloudformation, dynamodb, iam, lambda };
/** No installed package describes these services. These are their inputs as documented, required ones first. */
const OTHER_SERVICES: Model = {
  'stepfunctions list-executions': {
    members: ['stateMachineArn', 'statusFilter', 'maxResults', 'nextToken', 'mapRunArn', 'redriveFilter'],
    required: 0,
  },
  'stepfunctions stop-execution': { members: ['executionArn', 'error', 'cause'], required: 1 },
  'scheduler list-schedules': { members: ['GroupName', 'NamePrefix', 'State', 'NextToken', 'MaxResults'], required: 0 },
  'scheduler get-schedule': { members: ['Name', 'GroupName'], required: 1 },
  'scheduler update-schedule': {
    members: [
      ...['Name', 'ScheduleExpression', 'FlexibleTimeWindow', 'Target', 'GroupName', 'Description', 'State'],
      ...['StartDate', 'EndDate', 'ScheduleExpressionTimezone', 'KmsKeyArn', 'ClientToken', 'ActionAfterCompletion'],
    ],
    required: 4,
  },
};

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).slice(1);
/** The inputs of all operations of a service, as its SDK client describes them. */
const MODEL: Model = Object.assign(
  { ...OTHER_SERVICES },
  ...Object.entries(SERVICES).flatMap(([service, client]) =>
    Object.entries(client)
      .filter(([name, value]) => name.endsWith('$') && Array.isArray(value) && value[0] === 9)
      .map(([name, operation]) => {
        const [, , , , members, , required = 0] = (operation as Operation)[4]();
        return { [`${service} ${kebab(name.slice(0, -1))}`]: { members, required } };
      }),
  ),
);

const RUNBOOK = page('operations.md');

/** The part of the model that the runbook needs, so that each call starts quickly. */
const NAMED: Model = Object.fromEntries(
  Object.entries(MODEL).filter(
    ([action]) => RUNBOOK.includes(`aws ${action} `) || action === 'dynamodb describe-table',
  ),
);

/** The shell examples between two texts of the runbook, joined. */
function shellBetween(start: string, end: string): string {
  const [from, to] = [RUNBOOK.indexOf(start), RUNBOOK.indexOf(end, RUNBOOK.indexOf(start))];
  if (from < 0 || to < 0) throw new Error(`the runbook has no ${start}`);
  return parseDocument(RUNBOOK.slice(from, to))
    .blocks.filter(({ info }) => info === 'sh')
    .map(({ code }) => code)
    .join('\n');
}

const SETTINGS = shellBetween('# Operations', '**Most alarms');
const DEFINITIONS = shellBetween('### Stop and start', 'To stop the stack');
const STOP = shellBetween('To stop the stack', 'To start the stack');
const START = shellBetween('To start the stack', '### The ledger was');
const CLOSE = shellBetween('**If items in the table', '5. [Start');
const CLEAN = shellBetween('7. Delete the copy', '**If the table was deleted');
const RESTORE = shellBetween('**If the table was deleted', '### A region');

const RECOVERY = [SETTINGS, DEFINITIONS, STOP, CLOSE, START, CLEAN].join('\n');
const UNDELETION = [SETTINGS.replace(/^npm run leases.*$/m, ''), DEFINITIONS, STOP, RESTORE, START].join('\n');

/** Runs a script that ends at the first failure. */
async function run(script: string, state = initial()): Promise<{ code: number; stderr: string; state: State }> {
  const folder = mkdtempSync(join(tmpdir(), 'flashblade-recovery-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'state.json'), JSON.stringify(state));
  writeFileSync(join(folder, 'model.json'), JSON.stringify(NAMED));
  const standIn = resolve(import.meta.dirname, 'fixtures/aws-stand-in.ts');
  for (const name of ['aws', 'npm']) {
    writeFileSync(join(folder, name), `#!/bin/sh\nexec '${process.execPath}' '${standIn}' '${folder}' ${name} "$@"\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const env = {
    NODE_COMPILE_CACHE: join(tmpdir(), 'flashblade-compile-cache'),
    PATH: `${folder}${delimiter}${process.env['PATH']}`,
    HOME: folder,
  };
  const options = { cwd: folder, env };
  const ended = await new Promise<{ code: number; stderr: string }>((done) => {
    execFile('bash', ['-c', `set -e\n${script}`], options, (error, _, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stderr }),
    );
  });
  return { ...ended, state: JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) };
}

/** The script with one part replaced. */
function changed(script: string, find: string, replacement: string): string {
  if (!script.includes(find)) throw new Error(`the runbook has no ${find}`);
  return script.replaceAll(find, replacement);
}

/** A stack whose table was deleted. */
const withoutTable = (): State => ({ ...initial(), tables: {}, backups: initial().tables });

describe("the runbook's recovery", () => {
  it('of a damaged ledger closes every session in the copy, and leaves the stack as it was, without running fleet checks', async () => {
    const { code, stderr, state } = await run(RECOVERY);
    expect([code, stderr]).toEqual([0, '']);
    expect(state).toEqual({ ...initial(), checks: [], closed: ARRAYS.map((array) => `rescued-leases/${array}`) });
  });

  it('of a deleted ledger restores the table with its settings, and leaves the stack as it was, without running fleet checks', async () => {
    const { code, stderr, state } = await run(UNDELETION, withoutTable());
    expect([code, stderr]).toEqual([0, '']);
    expect(state).toEqual({ ...initial(), checks: [], backups: initial().tables });
  });

  it('stops everything that opens sessions, and nothing that closes them by hand', async () => {
    const { state } = await run([SETTINGS, DEFINITIONS, STOP].join('\n'));
    expect(state).toEqual({
      ...initial(),
      schedules: { sweep: 'DISABLED', check: 'DISABLED' },
      checks: [],
      isConsuming: false,
      concurrency: { login: 0, 'call-array': 0, renew: 0 },
    });
  });

  // Each of these mistakes must stop the recovery.
  it.each([
    ['leaves the schedules running', 'schedules DISABLED', ':', 'the schedule starts another fleet check'],
    ['stops requests by concurrency', 'for name in login', 'for name in session-events login', 'the dead-letter queue'],
    ['stops the sweeper by concurrency', 'for name in login', 'for name in sweep-sessions login', 'opens no sessions'],
    ['leaves fleet checks running', 'aws stepfunctions stop-execution', ': aws', 'a fleet check still runs'],
    ['leaves the requests running', 'requests --no-enabled', ':', 'the stack is not stopped'],
    [
      'restores the damaged state',
      '--restore-date-time 2026-01-31T11:55:00Z',
      '--use-latest-restorable-time',
      'already damaged',
    ],
    ['restores over the table', 'RESCUED=rescued-leases', 'RESCUED="$LEASE_TABLE"', 'the table leases exists'],
    ['grants nothing on the copy', 'ROLE=storage-jobs', 'ROLE=another', 'AccessDeniedException'],
    ['grants nothing on the index', '/index/due', '/index/owner', 'AccessDeniedException'],
    ['closes nothing before it deletes the copy', 'npm run leases -- close', ': npm', 'sessions are still open'],
    ['starts the schedules before the requests', 'requests --enabled', ':', 'the queue still waits'],
    ['misspells an option', '--target-table-name', '--target-table', 'has no option --target-table'],
    [
      'misspells an action',
      'update-event-source-mapping',
      'update-event-source',
      'there is no action lambda update-event-source',
    ],
    [
      'passes on a field that updates do not have',
      'GroupName: GroupName,',
      'GroupName: GroupName, Arn: Arn,',
      'has no input Arn',
    ],
    ['omits a required field', ', Target: Target', '', 'needs Target'],
  ])('is refused if it %s', async (_, find, replacement, fault) => {
    const { code, stderr } = await run(changed(RECOVERY, find, replacement));
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(fault)]);
    expect(code).not.toBe(0);
  });

  it.each([
    ['point-in-time recovery', 'PointInTimeRecoveryEnabled=true', 'PointInTimeRecoveryEnabled=false'],
    ['expiration', 'AttributeName=purgeAt', 'AttributeName=expiresAt'],
    ['deletion protection', '--deletion-protection-enabled', '--no-deletion-protection-enabled'],
  ])('would be incomplete without the %s of a restored table', async (_, find, replacement) => {
    const { code, state } = await run(changed(UNDELETION, find, replacement), withoutTable());
    expect(code).toBe(0);
    expect(state.tables).not.toEqual(initial().tables);
  });
});
