/** What the state machines of infra/workflows are, before anything runs. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import aslValidator from 'asl-validator';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseLoginRequest } from '../../lib/ground/requests.ts';
import { errorsIn } from '../infra/cloudformation.ts';
import { CHANGES, withChange } from './changes.ts';
import { CHECKS } from './checks.ts';
import { DIRECTORY, deployed, flowsOf, functionOf, MACHINES, type Machine, readMachine, tasksOf } from './machine.ts';

const STACK = resolve(DIRECTORY, 'stack.yml');
/** The longest that AWS gives an execution. */
const LONGEST_ID = `arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:${'m'.repeat(80)}:${'e'.repeat(80)}`;

const syntaxErrors = (machine: Machine): string => aslValidator(structuredClone(machine)).errorsText();

test('there are two machines', () => {
  expect(MACHINES).toEqual(['fleet.asl.json', 'with-session.asl.json']);
});

describe.each(MACHINES)('%s', (name) => {
  const machine = readMachine(name);

  test('is valid as it is deployed', () => {
    expect(syntaxErrors(deployed(machine))).toBe('');
  });

  test.each([
    ['a state that nothing leads to', { Lost: { Type: 'Succeed' } }, 'MISSING_TRANSITION_TARGET'],
    ['a way into nowhere', { Start: { Type: 'Pass', Next: 'Nowhere' } }, 'MISSING_TRANSITION_TARGET'],
    ['a type that does not exist', { Start: { Type: 'Tusk', End: true } }, 'SCHEMA_VALIDATION_FAILED'],
  ])('would be refused with %s', (_, states, told) => {
    const broken = { ...deployed(machine), States: { ...deployed(machine).States, ...states } };
    expect(syntaxErrors(broken)).toContain(told);
  });

  test('invokes the functions by their names in DefinitionSubstitutions, from login to logout', async () => {
    const invoked = tasksOf(machine).map(([, state]) => functionOf(state));
    expect(invoked).toEqual(['login', 'call-array', 'logout', 'logout']);
    const names = [...JSON.stringify(machine).matchAll(/\$\{(\w+)\}/g)].map(([, found]) => found);
    for (const found of names) expect(await readFile(STACK, 'utf8')).toContain(`        ${found}: { Ref: ${found} }`);
  });

  test.each(Object.entries(CHECKS))('%s finds nothing', (_, faults) => {
    expect(faults(machine)).toEqual([]);
  });

  const changes = Object.entries(CHANGES).flatMap(([check, list]) =>
    list
      .filter(([, [state = '']]) => flowsOf(machine).some(({ States }) => state in States))
      .map((change) => [check as keyof typeof CHECKS, ...change] as const),
  );
  test.each(changes)('%s refuses %s', (check, _, path, value, told) => {
    expect(CHECKS[check](withChange(machine, path, value)).join('\n')).toContain(told);
  });
});

test('the longest id of an execution, with the longest name of an array, is a lease id and an owner', () => {
  const array = 'a'.repeat(64);
  const request = { array, leaseId: `${LONGEST_ID}:${array}`, owner: LONGEST_ID };
  expect(parseLoginRequest(request, 'invocation')).toMatchObject(request);
});

describe('stack.yml', () => {
  test('is a template that CloudFormation accepts', { timeout: 60_000 }, () => {
    expect(errorsIn(STACK)).toEqual([]);
  });

  test('would be refused without the role of the workflow', { timeout: 60_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flashblade-workflow-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const broken = join(directory, 'stack.yml');
    await writeFile(broken, (await readFile(STACK, 'utf8')).replaceAll('WorkflowRole:', 'OtherRole:'));
    expect(errorsIn(broken).join('\n')).toContain('WorkflowRole');
  });
});
