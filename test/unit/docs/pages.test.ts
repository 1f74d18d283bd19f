/** The documentation's tables equal the code, and its examples work. */
import { readFileSync } from 'node:fs';
import type { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { PACT_FILE, readPact, statesOf } from '../../../contracts/pact-file.ts';
import { definitionOf } from '../../../contracts/states.ts';
import { createLeaseStore } from '../../../lib/aws/lease-store.ts';
import { parseSecret } from '../../../lib/aws/secret-format.ts';
import { OUTBOX_VARIABLES, SWEEP_VARIABLES, VARIABLES } from '../../../lib/core/config.ts';
import { ERROR_CODES } from '../../../lib/core/errors.ts';
import { EVENTS } from '../../../lib/core/reports.ts';
import { VARIABLE_OF } from '../../../lib/create-fleet.ts';
import { VARIABLE_OF_LIMIT } from '../../../lib/fleet-of.ts';
import { DURATIONS } from '../../../lib/lambda/metrics.ts';
import type { LeaseItem, Opening } from '../../../lib/leases/items.ts';
import { parseLoginRequest, parseLogoutRequest } from '../../../lib/leases/requests.ts';
import { claim, close, intend, postpone, record, release, reopen } from '../../../lib/leases/states.ts';
import { examples, page, tableRows } from '../../kit/pages.ts';
import { scheduledInput } from '../../kit/scheduler.ts';
import { parseDocument, shellCommands } from './markdown.ts';

const FUNCTIONS = page('functions-and-events.md');

describe('the page about errors', () => {
  const ERRORS = page('errors.md');
  const retryables = Object.entries(ERROR_CODES).map(([code, { retryable }]) => [code, retryable ? 'yes' : 'no']);

  it('lists every code once, in the order of the code, with whether it is retryable and a link to its section', () => {
    const expected = retryables.map(([code = '', again]) => [`[\`${code}\`](#${code.toLowerCase()})`, again]);
    const rows = tableRows('code', ERRORS);
    expect(rows.map(([code, again]) => [code, again])).toEqual(expected);
    for (const [, , meaning = ''] of rows) expect(meaning.length).toBeGreaterThan(10);
  });

  it('lists every fact', () => {
    const source = readFileSync(new URL('../../../lib/core/errors.ts', import.meta.url), 'utf8');
    const type = /interface ErrorFacts \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? '';
    const facts = Array.from(type.matchAll(/readonly (\w+)\?:/g), ([, name]) => name);
    expect(facts.length).toBeGreaterThan(5);
    const listed = tableRows('fact', ERRORS).map(([name]) => name?.replaceAll('`', ''));
    expect(listed.sort()).toEqual(facts.sort());
  });

  it('has a section for every code, with whether to retry and what to do', () => {
    const sections = [...ERRORS.matchAll(/^### ([A-Z_]+)\nRetry: (yes|no)\. ([\s\S]*?)(?=^##|(?![\s\S]))/gm)];
    expect(sections.map(([, code, again]) => [code, again])).toEqual(retryables);
    for (const [, code, , text = ''] of sections) expect(text.replaceAll('\n', ' '), code).toContain('**What to do:**');
  });
});

it('the table of variables has the names, options, defaults and ranges of the code', () => {
  const limits = Object.entries(VARIABLE_OF_LIMIT).map(([option, name]) => [name, `\`limits.${option}\``] as const);
  const options = Object.entries(VARIABLE_OF).map(([option, name]) => [name, `\`${option}\``] as const);
  const optionOf = new Map<string, string>([...options, ...limits]);
  const expected = Object.entries({ ...VARIABLES, ...OUTBOX_VARIABLES, ...SWEEP_VARIABLES }).map(([name, variable]) => [
    `\`${name}\``,
    optionOf.get(name) ?? '',
    'default' in variable && variable.default !== '' ? `\`${variable.default}\`` : '',
    variable.kind === 'number' ? `${variable.min} to ${variable.max}` : '',
    variable.about,
  ]);
  expect(tableRows('variable', page('library.md'))).toEqual(expected);
});

it('the section about logs and metrics lists every event and duration', () => {
  const section = FUNCTIONS.slice(FUNCTIONS.indexOf('## Logs and metrics'));
  const named = [
    ...section.matchAll(
      /`((?:Log|Lease|Invocation|Suspect|Ledger|Renewal|Stale|Sweep|Array|Fleet|Message|Request|Secrets|Event)\w+)`/g,
    ),
  ].map(([, name]) => name);
  expect([...new Set(named)].sort()).toEqual([...Object.keys(EVENTS), ...Object.values(DURATIONS)].sort());
});

it.each(examples('json secret', page('secrets-and-trust.md')))('the example of a secret is valid: %s', (json) => {
  expect(parseSecret('fb1', 'flashblade/fb1', { SecretString: json }).array.host).toBe('fb1.example.com');
});

it.each(examples('json schedule-input', FUNCTIONS))('only EventBridge Scheduler makes this input valid: %s', (json) => {
  expect(() => parseLoginRequest(JSON.parse(json), 'invocation')).toThrow('only EventBridge Scheduler replaces');
  expect(parseLoginRequest(scheduledInput(json), 'invocation')).toMatchObject({ array: 'fb1' });
});

it('the documented id of a schedule fits the rule for ids, whatever the schedule is called', () => {
  const [json = ''] = examples('json schedule-input', FUNCTIONS);
  // The longest names that AWS allows, with every character that it allows.
  const name = `${'aZ0-_.'.repeat(10)}long`;
  const longest = json
    .replace(
      '<aws.scheduler.schedule-arn>',
      `arn:aws-us-gov:scheduler:us-gov-west-1:123456789012:schedule/${name}/${name}`,
    )
    .replace('<aws.scheduler.scheduled-time>', '2026-11-24T01:00:00.000Z');
  const { leaseId } = parseLoginRequest(JSON.parse(longest), 'invocation');
  expect(leaseId.length).toBeGreaterThan(200);
  expect(parseLogoutRequest({ leaseId })).toEqual({ leaseId });
});

it.each(examples('json login-request', FUNCTIONS))('the example of a login request is valid: %s', (json) => {
  expect(parseLoginRequest(JSON.parse(json), 'invocation')).toMatchObject({ array: 'fb1' });
});

/** The states in which a real array is only for some users. */
const LIVE_IF = new Map<string | undefined, string>([
  ['a session of a user who may list is open', 'if the user may'],
  ['a session of a user who may not list is open', 'if the user may not'],
]);

it('the table of what is pinned lists every interaction of the pact, and whether a real array can be in its state', () => {
  const expected = readPact(PACT_FILE).interactions.map((interaction) => {
    const [state] = statesOf(interaction);
    const { method = '', path = '' } = interaction.request ?? {};
    return [
      interaction.description,
      `\`${method} ${path.replace(/\/\d+\.\d+\//, '/2.N/')}\``,
      state === undefined ? 'none' : `\`${state}\``,
      LIVE_IF.get(state) ?? (state === undefined || definitionOf(state)?.live ? 'yes' : 'no'),
    ];
  });
  const rows = tableRows('interaction', page('contracts.md')).map(([what, request, state, , live]) => [
    what,
    request,
    state,
    live,
  ]);
  expect(rows.sort()).toEqual(expected.sort());
});

describe("the table of a lease's item", () => {
  const TARGET = { name: 'fb1', host: 'fb1.example.com', port: 443, trust: { kind: 'public' } } as const;
  const SESSION = { username: 'automation', sealed: 'x' };

  /** The ways through every state, with every optional field. */
  function items(): LeaseItem[] {
    const intent = { leaseId: 'job', attemptId: 'a', owner: 'me', target: TARGET, leaseSeconds: 900, openingUntil: 40 };
    const decided = intend(undefined, intent, 10);
    if (!('write' in decided)) throw new Error('no intent');
    const released = release(decided.write, 'job', 20);
    if (!('write' in released)) throw new Error('not released');
    const open = record(decided.write, SESSION);
    const again: Opening = reopen(open, { attemptId: 'b', openingUntil: 90 }, 50);
    const closing = claim(record(again, SESSION), 60, true);
    const stuck = postpone(closing, 70, 0, true);
    return [
      decided.write,
      released.write,
      open,
      again,
      record(again, SESSION),
      closing,
      stuck,
      close(open, 70),
      close(stuck, 80),
    ];
  }

  it('lists every field that the table stores, with the states that have it', async () => {
    const found = new Map<string, Set<string>>();
    const send = async ({ input }: PutItemCommand) => {
      for (const field of Object.keys(input.Item ?? {})) {
        found.set(field, (found.get(field) ?? new Set()).add(input.Item?.['state']?.S ?? ''));
      }
      return {};
    };
    const store = createLeaseStore({ send } as unknown as DynamoDBClient, 'leases', () => 'v');
    for (const item of items()) await store.write(item, undefined, Date.now() + 60_000);

    const ALL = ['OPENING', 'OPEN', 'CLOSING', 'STUCK', 'CLOSED'];
    const listed = tableRows('field', page('architecture.md')).flatMap(([names = '', , states = '']) => {
      const which = states === 'all' ? ALL : states === 'all but CLOSED' ? ALL.slice(0, -1) : states.split(', ');
      return Array.from(names.matchAll(/`(\w+)`/g), ([, name = '']) => [name, which.toSorted()]);
    });
    const stored = [...found].map(([name, states]) => [name, [...states].sort()]);
    expect(listed.sort()).toEqual(stored.sort());
  });
});

/** The statements of the example of a policy in docs/deploying.md. */
type Statement = { Action: string | string[]; Resource?: string | string[] };
const statementsOf = (kind: string): Statement[] => {
  const block = parseDocument(page('deploying.md')).blocks.find(({ info }) => info === `json ${kind}`);
  return JSON.parse(block?.code ?? '').Statement;
};

/** `action on resource`, for everything that the statements grant. */
const grantsOf = (statements: readonly Statement[]): string[] =>
  statements.flatMap(({ Action, Resource }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} on ${resource}`)),
  );

it('the permissions boundary allows exactly the actions in the table of permissions', () => {
  const actions = tableRows('permission', page('deploying.md')).flatMap(([cell = '']) =>
    Array.from(cell.matchAll(/`([^`]+)`/g), ([, action]) => `${action} on *`),
  );
  expect(grantsOf(statementsOf('boundary')).sort()).toEqual([...new Set(actions)].sort());
});

describe("an operator's policy", () => {
  const SECTIONS = page('operations.md').split(/^(?=##)/m);
  /** Sections whose commands stop, start or recover the whole stack, or look up prices. */
  const FOR_OTHERS = /^#+ (.* (was lost|is gone)\b|Stop and start|Cost$)/m;
  const RUNBOOK = parseDocument(SECTIONS.filter((section) => !FOR_OTHERS.test(section)).join(''));
  const COMMANDS = [...RUNBOOK.blocks.filter(({ info }) => info === 'sh'), ...RUNBOOK.quoted]
    .flatMap(({ code }) => shellCommands(code))
    .map(({ words }) => words.slice(words[0] === '{' ? 1 : 0))
    .filter(([program, service]) => program === 'aws' && service !== undefined);

  /** Actions that are not called like the command. */
  const ACTIONS: Readonly<Record<string, readonly string[]>> = {
    'logs tail': ['logs:FilterLogEvents'],
    'lambda invoke': ['lambda:InvokeFunction'],
    'scheduler update-schedule': ['scheduler:UpdateSchedule', 'iam:PassRole'],
    'sqs start-message-move-task': [
      'sqs:StartMessageMoveTask',
      ...['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:SendMessage'],
    ],
  };
  /** Services whose actions begin with another name. */
  const PREFIXES: Readonly<Record<string, string>> = { stepfunctions: 'states' };
  const pascal = (name: string): string => name.replace(/(?:^|-)(\w)/g, (_, initial: string) => initial.toUpperCase());
  const functionIn = (words: readonly string[]): string =>
    (words[words.indexOf('--function-name') + 1] ?? '').replace('$STACK-', '');

  it('allows exactly the actions of the commands in the runbook', () => {
    const needed = COMMANDS.flatMap(
      ([, service = '', command = '']) =>
        ACTIONS[`${service} ${command}`] ?? [`${PREFIXES[service] ?? service}:${pascal(command)}`],
    );
    const granted = statementsOf('operator-policy').flatMap(({ Action }) => Action);
    expect(granted.sort()).toEqual([...new Set(needed)].sort());
  });

  it('allows to invoke exactly the functions that the runbook invokes', () => {
    const invoked = COMMANDS.filter(([, , command]) => command === 'invoke').map(functionIn);
    expect(
      grantsOf(statementsOf('operator-policy'))
        .filter((grant) => grant.startsWith('lambda:'))
        .sort(),
    ).toEqual([...new Set(invoked)].map((name) => `lambda:InvokeFunction on <${pascal(name)}FunctionArn>`).sort());
  });
});

describe("the policies of a program's role", () => {
  /** How the policy names what the table of permissions lists. */
  const RESOURCES = new Map([
    ["the arrays' secrets", 'arn:aws:secretsmanager:<region>:<account>:secret:flashblade/*'],
    ["the secrets' key", '<SecretsKeyArn>'],
    ["the leases' key", '<LeaseKeyArn>'],
    ['the lease table', '<LeaseTableArn>'],
  ]);

  it('grant what the functions login and logout may do, and to list leases', () => {
    const listed = tableRows('permission', page('deploying.md')).flatMap(([actions = '', on = '', who = '']) => {
      const resource = /`log(in|out)`|every function$/.test(who) ? RESOURCES.get(on) : undefined;
      return Array.from(actions.matchAll(/`([^`]+)`/g), ([, action]) => (resource ? [`${action} on ${resource}`] : []));
    });
    const needed = [...listed.flat(), 'dynamodb:Query on <LeaseTableArn>/index/due'];
    expect(grantsOf(statementsOf('program-policy')).sort()).toEqual(needed.sort());
  });

  it('let the program assume the role', () => {
    expect(statementsOf('trust-policy')).toEqual([
      expect.objectContaining({ Effect: 'Allow', Action: 'sts:AssumeRole' }),
    ]);
  });
});
