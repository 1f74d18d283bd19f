/** Static checks of the state machines in examples/step-functions. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import aslValidator from 'asl-validator';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { parseLoginRequest } from '../../../lib/leases/requests.ts';
import { page, tableRows } from '../../kit/pages.ts';
import { errorsIn } from '../infra/cloudformation.ts';
import { testRules } from '../infra/rules/rule.ts';
import { DIRECTORY, deployed, functionOf, MACHINES, type Machine, readMachine, statesOf, variants } from './machine.ts';
import { MAP_RULES, RULES } from './rules.ts';

const STACK = resolve(DIRECTORY, 'stack.yml');
/** The longest execution id that AWS assigns. */
const LONGEST_ID = `arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:${'m'.repeat(80)}:${'e'.repeat(80)}`;

const syntaxErrors = (machine: Machine): string => aslValidator(structuredClone(machine)).errorsText();

test('the documentation lists every state machine, with an input that has exactly the fields that its first state reads', () => {
  const rows = tableRows('file', page('functions-and-events.md')).map(([name = '', input = '']) =>
    [name, input].map((cell) => cell.slice(1, -1)),
  );
  expect(rows.map(([name]) => name).sort()).toEqual(MACHINES);
  for (const [name = '', input = ''] of rows) {
    const { StartAt, States } = readMachine(name);
    const read = Object.keys(States[StartAt]?.Parameters ?? {}).map((field) => field.replace('.$', ''));
    expect(Object.keys(JSON.parse(input))).toEqual(read);
  }
});

describe.each(MACHINES)('%s', (name) => {
  const machine = readMachine(name);

  test('is a valid state machine as deployed', () => {
    expect(syntaxErrors(deployed(machine))).toBe('');
  });

  test('invokes login, the work and two logouts', () => {
    const invoked = statesOf(machine, 'Task').map(([, state]) => functionOf(state));
    expect(invoked).toEqual(['login', 'call-array', 'logout', 'logout']);
  });

  testRules(name === 'fleet.asl.json' ? [...RULES, ...MAP_RULES] : RULES, () => machine, variants);
});

test.each([
  ['an unreachable state', { Lost: { Type: 'Succeed' } }, 'MISSING_TRANSITION_TARGET'],
  ['a transition to a missing state', { Start: { Type: 'Pass', Next: 'Nowhere' } }, 'MISSING_TRANSITION_TARGET'],
  ['an unknown state type', { Start: { Type: 'Tusk', End: true } }, 'SCHEMA_VALIDATION_FAILED'],
])('a state machine with %s is refused', (_, states, error) => {
  const machine = deployed(readMachine('with-session.asl.json'));
  const broken = { ...machine, States: { ...machine.States, ...states } };
  expect(syntaxErrors(broken)).toContain(error);
});

test('the longest execution id with the longest array name is a valid lease id, and a valid owner', () => {
  const array = 'a'.repeat(64);
  const request = { array, leaseId: `${LONGEST_ID}:${array}`, owner: LONGEST_ID };
  expect(parseLoginRequest(request, 'invocation')).toMatchObject(request);
});

describe('stack.yml', { timeout: 60_000 }, () => {
  const text = readFileSync(STACK, 'utf8');
  const location = /DefinitionS3Location:\n.*\n.*\n/;

  /** Errors that CloudFormation reports for a changed template. */
  async function errorsWith(changed: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'flashblade-workflow-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'stack.yml'), changed);
    return errorsIn(join(directory, 'stack.yml')).join('\n');
  }
  const inline = (machine: object): string =>
    text.replace(location, () => `DefinitionString: ${JSON.stringify(JSON.stringify(machine))}\n`);

  test('is a valid CloudFormation template', () => {
    expect(errorsIn(STACK)).toEqual([]);
  });

  test.each(MACHINES)('is a valid CloudFormation template with %s inline', async (name) => {
    expect(await errorsWith(inline(readMachine(name)))).toBe('');
    expect(await errorsWith(inline({ ...readMachine(name), StartAt: 'Nowhere' }))).toContain('StartAt');
  });

  test('is refused without the role of the workflow', async () => {
    expect(await errorsWith(text.replaceAll('WorkflowRole:', 'OtherRole:'))).toContain('WorkflowRole');
  });

  test('defines every substitution that a definition uses, and allows no other action', () => {
    for (const name of MACHINES) {
      const names = [...JSON.stringify(readMachine(name)).matchAll(/\$\{(\w+)\}/g)].map(([, found]) => found);
      expect(new Set(names)).toEqual(new Set(['LoginFunctionArn', 'CallArrayFunctionArn', 'LogoutFunctionArn']));
      for (const found of names) expect(text).toContain(`        ${found}: { Ref: ${found} }`);
    }
    expect(text.match(/Action: .*/g)).toEqual(['Action: sts:AssumeRole', 'Action: lambda:InvokeFunction']);
    const others = text.match(/- \w+:\w+$/gm)?.map((line) => line.slice(2));
    expect(others).toHaveLength(8);
    for (const action of others ?? []) expect(action).toMatch(/^logs:.*(LogDeliver|ResourcePolic|DescribeLogGroups)/);
  });

  test('logs failed states, without their input and output', () => {
    const { LoggingConfiguration: logging } = parse(text).Resources.Workflow.Properties;
    expect(logging).toMatchObject({ Level: 'ERROR', IncludeExecutionData: false });
  });
});
