/** Mistakes in parameters, in the stage and in the build are found before osls packages or deploys anything. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { VARIABLES } from '../../../lib/core/config.ts';
import { allowedCalls } from '../../../lib/leases/call-array.ts';
import { ROOT } from '../../../scripts/build.ts';
import { page, tableRows } from '../../kit/pages.ts';
import { OTHERS } from './package-with.ts';

vi.setConfig({ testTimeout: 60_000 });

type Given = { stage?: string; region?: string; inStage?: object; defaults?: object; given?: [string, string][] };
const { RULES, faultsOf: allFaults } = createRequire(import.meta.url)('../../../infra/check-parameters.cjs') as {
  RULES: Readonly<Record<string, { readonly rule: string; readonly fits: (value: string) => boolean }>>;
  faultsOf: (given: Given) => string[];
};
const defaults: Record<string, unknown> = parse(readFileSync(resolve(ROOT, 'serverless.yml'), 'utf8')).params.default;
const NAMES = Object.keys(RULES);
const faultsOf = (given: Given): string[] => allFaults({ stage: 'prod', defaults, ...given });
/** The faults of parameters on the command line. */
const faultsWith = (values: Readonly<Record<string, string>>): string[] => faultsOf({ given: Object.entries(values) });

/** Parameters that a valid value of another parameter requires. */
const NETWORK = { vpcSubnetIds: 'subnet-1', vpcSecurityGroupIds: 'sg-1' };

describe('the rules for parameters', () => {
  it('exist for every parameter, in the same order, and accept all defaults and these other values', () => {
    expect(NAMES).toEqual(Object.keys(defaults));
    expect(faultsOf({})).toEqual([]);
    expect(faultsWith(OTHERS)).toEqual([]);
  });

  it.each([
    ['sessionsPerArray', VARIABLES.SESSIONS_PER_ARRAY],
    ['maxLeaseSeconds', VARIABLES.MAX_LEASE_SECONDS],
    ['arrayIdleSeconds', VARIABLES.ARRAY_IDLE_SECONDS],
  ])('have the range of the functions for %s', (name, { min, max }) => {
    expect(RULES[name]?.rule).toBe(`must be a whole number from ${min} to ${max}`);
  });

  it('have the ranges of the page about deploying', () => {
    const rows = tableRows('parameter', page('deploying.md')).map(([name = '', , meaning = '']) => [name, meaning]);
    const ranged = rows.filter(([name = '']) => RULES[name.replaceAll('`', '')]?.rule.includes('whole number'));
    expect(ranged).toHaveLength(8);
    for (const [name = '', meaning] of ranged) {
      const [, min, max] = /from (\d+) to (\d+)/.exec(RULES[name.replaceAll('`', '')]?.rule ?? '') ?? [];
      expect(meaning, name).toContain(`${min} to ${max}`);
    }
  });

  it('accept exactly the lists of calls that call-array accepts', () => {
    const accepted = (list: string): boolean => {
      try {
        return allowedCalls(list).length > 0;
      } catch {
        return false;
      }
    };
    const rule = fc
      .tuple(fc.constantFrom('GET', 'POST', 'PATCH', 'get'), fc.constantFrom(' ', ' ', ' ', '  '))
      .chain(([method, space]) =>
        fc
          .constantFrom('/api/**', '/api/2.*/x-y', '/api/2.3/arrays', '/login', '/api/', '/api/a b', '')
          .map((path) => method + space + path),
      );
    const lists = fc
      .array(rule, { maxLength: 3 })
      .chain((rules) => fc.constantFrom(',', ', ').map((by) => rules.join(by)));
    let [valid, invalid] = [0, 0];
    fc.assert(
      fc.property(lists, (list) => {
        accepted(list) ? valid++ : invalid++;
        expect(RULES['allowedCalls']?.fits(list), list).toBe(accepted(list));
      }),
      { numRuns: 500 },
    );
    expect(Math.min(valid, invalid)).toBeGreaterThan(10);
  });

  const WRONG: Readonly<Record<string, readonly string[]>> = {
    secretPrefix: ['flash blade/', 'flashblade/*', 'prod?', '${stage'],
    sessionsPerArray: ['0', '501', '9999', '-1', '1.5', '1e2', 'fifty', '0x10', '9'.repeat(20)],
    maxLeaseSeconds: ['59', '604801', '1h'],
    arrayIdleSeconds: ['299', '86401', '30m'],
    dueShards: ['0', '17', 'all'],
    allowedCalls: ['GET', '/api/**', 'GET /api/**;POST /api/**', 'get /api/**'],
    maxRequestAgeSeconds: ['299', '21601'],
    stateMachineArnPrefix: ['arn:', 'nightly-', 'arn:aws:states:*:1:stateMachine:a b'],
    queueConcurrency: ['1', '1001'],
    checkRate: [
      ...[
        'rate(15 minute)',
        'rate(1 minutes)',
        'rate(0 minutes)',
        'rate(15)',
        'rate(15 seconds)',
        '15 minutes',
        'rate(1.5 hours)',
      ],
      ...['cron(0 6 * * *)', 'cron(0 6 * * * *)', 'cron(0 6 ? * ? *)', 'at(2030-01-01T00:00:00)', 'Rate(1 hour)'],
    ],
    checkConcurrency: ['0', '101', '2.5', '', 'five'],
    reserveConcurrency: ['yes', 'True', '1'],
    programRoleArns: [
      'storage-jobs',
      'arn:aws:iam::111111111111:role/*',
      'arn:aws:iam::1:role/x',
      'arn:aws:iam::111111111111:user/x',
    ],
    permissionsBoundaryArn: ['boundary', 'arn:aws:iam::111111111111:role/x'],
    vpcSubnetIds: ['sg-1', 'subnet-1;subnet-2', 'subnet-xyz'],
    vpcSecurityGroupIds: ['default', 'subnet-1'],
    vpcEgress: [
      '10.0.0.0',
      '10.0.0.0/33',
      '10.0.0.256/32',
      '10.0.0/24',
      'fb1.example.com',
      'fd00::/129',
      'sg-1',
      '::/0/0',
    ],
    vpcId: ['10.0.0.0/16', 'subnet-1'],
    deletionProtection: ['no', 'TRUE'],
    stackTags: ['storage', '=x', 'aws:team=x', 'team=storage;x=(y)'],
    deploymentBucket: ['s3://x', 'Bucket', 'ab'],
    tracing: ['active', 'true'],
    logRetentionInDays: ['0', '31', '100', 'forever'],
    alarmEmail: ['storage', 'a@b@c', 'a b@c'],
    checkAlarmHours: ['1', '169'],
    runbook: ['my runbook', 'a"b', '${x', '\\'],
  };

  it.each(NAMES)('report a wrong %s in one sentence, without the value', (name) => {
    expect(WRONG[name]?.length).toBeGreaterThan(1);
    for (const value of WRONG[name] ?? []) {
      const faults = faultsWith({ ...(name.startsWith('vpc') ? NETWORK : {}), [name]: value });
      expect(faults, value).toEqual([`The parameter ${name} ${RULES[name]?.rule}.`]);
    }
  });

  it('reject blanks around a value and lists without items, because the template contains the text as given', () => {
    const valid: Readonly<Record<string, string>> = {
      ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
      ...OTHERS,
    };
    const isList = (name: string): boolean =>
      /^(allowedCalls|programRoleArns|vpc(SubnetIds|SecurityGroupIds|Egress)|stackTags)$/.test(name);
    for (const [name, value] of Object.entries(valid)) {
      const wrong = isList(name) ? [' ', ',', ' , '] : [` ${value}`, `${value} `, ' '];
      for (const text of wrong)
        expect(faultsWith({ ...valid, [name]: text }), `${name}: ${JSON.stringify(text)}`).toContain(
          `The parameter ${name} ${RULES[name]?.rule}.`,
        );
    }
  });

  it.each([
    [{ checkRate: 'cron(0 6 * * ? *)' }],
    [{ checkRate: 'cron(0/15 6-18 ? * MON-FRI 2030)' }],
    [{ checkRate: 'rate(12 hours)', checkAlarmHours: '24' }],
    [{ ...NETWORK, vpcId: 'vpc-1', vpcEgress: '0.0.0.0/0,::/0,pl-02cd2c6b' }],
    [{ permissionsBoundaryArn: 'arn:aws-us-gov:iam::aws:policy/PowerUserAccess' }],
    [{ stateMachineArnPrefix: 'arn:aws:states:eu-west-1:111111111111:stateMachine:nightly-' }],
  ])('accept %j', (values) => {
    expect(faultsWith(values)).toEqual([]);
  });

  it.each([
    [{ vpcSubnetIds: 'subnet-1', vpcEgress: '10.0.0.0/8' }, 'vpcEgress requires vpcSubnetIds and vpcId'],
    [{ vpcId: 'vpc-1', vpcEgress: '10.0.0.0/8' }, 'vpcEgress requires vpcSubnetIds and vpcId'],
    [{ vpcEgress: '10.0.0.0/8' }, 'vpcEgress requires vpcSubnetIds and vpcId'],
    [{ vpcSubnetIds: 'subnet-1' }, 'vpcSubnetIds requires vpcSecurityGroupIds, or vpcEgress and vpcId'],
    [{ vpcSecurityGroupIds: 'sg-1' }, 'vpcSecurityGroupIds requires vpcSubnetIds'],
    [{ checkRate: 'rate(1 day)' }, 'checkAlarmHours must be at least twice the interval of checkRate'],
    [{ checkRate: 'rate(90 minutes)' }, 'checkAlarmHours must be at least twice the interval of checkRate'],
  ])('require that %j fit together', (values, fault) => {
    expect(faultsWith(values)).toEqual([expect.stringContaining(`The parameter ${fault}`)]);
  });

  it('require state machines in the region of the stack, whose events and executions are the only ones that it sees', () => {
    const given: [string, string][] = [['stateMachineArnPrefix', OTHERS.stateMachineArnPrefix]];
    expect(faultsOf({ region: 'eu-central-1', given })).toEqual([]);
    expect(faultsOf({ region: 'eu-central-1' })).toEqual([]);
    expect(faultsOf({ region: 'eu-west-1', given })).toEqual([
      'The parameter stateMachineArnPrefix must name the region of the stack.',
    ]);
  });

  it('name the likely parameter for a name with a missing, doubled or swapped letter, or in another case', () => {
    const typo = fc.constantFrom(...NAMES).chain((name) =>
      fc.nat(name.length - 2).map((at) => {
        const [before, one, two, rest] = [name.slice(0, at), name[at], name[at + 1], name.slice(at + 2)];
        return {
          name,
          typos: [before + two + rest, before + one + one + two + rest, before + two + one + rest, name.toUpperCase()],
        };
      }),
    );
    fc.assert(
      fc.property(typo, ({ name, typos }) => {
        for (const wrong of typos.filter((one) => !NAMES.includes(one)))
          expect(faultsWith({ [wrong]: '1' })).toEqual([`There is no parameter ${wrong}. Did you mean ${name}?`]);
      }),
    );
  });

  it.each(['memorySize', 'x'])('name no parameter that %s cannot mean', (name) => {
    expect(faultsWith({ [name]: '1' })).toEqual([
      `There is no parameter ${name}. docs/deploying.md lists the parameters.`,
    ]);
  });

  it('cover the values of a stage in serverless.yml, which the command line overrides', () => {
    expect(faultsOf({ inStage: { sessionPerArray: 7 } })).toHaveLength(1);
    expect(faultsOf({ inStage: { sessionsPerArray: 0 } })).toHaveLength(1);
    expect(faultsOf({ inStage: { sessionsPerArray: 0 }, given: [['sessionsPerArray', '7']] })).toEqual([]);
    expect(
      faultsOf({
        given: [
          ['runbook', 'a'],
          ['runbook', 'b'],
        ],
      }),
    ).toEqual(['The parameter runbook is given twice.']);
  });

  it('report every mistake at once', () => {
    const faults = faultsOf({
      stage: 'a'.repeat(17),
      given: [
        ['sessionsPerArray', '0'],
        ['runBook', 'x'],
      ],
    });
    expect(faults).toEqual([
      'The stage name can have at most 14 characters, but has 17.',
      'There is no parameter runBook. Did you mean runbook?',
      'The parameter sessionsPerArray must be a whole number from 1 to 500.',
    ]);
    expect(faultsOf({ stage: 'a'.repeat(14) })).toEqual([]);
  });
});

describe('osls', () => {
  /** A copy of the project, as far as osls needs it. */
  function project(): string {
    const directory = mkdtempSync(join(tmpdir(), 'flashblade-osls-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const names = ['serverless.yml', 'package-lock.json', 'infra', 'lib', 'functions', 'dist/functions', 'scripts'];
    for (const name of names) cpSync(resolve(ROOT, name), join(directory, name), { recursive: true });
    return directory;
  }

  /** Runs osls with an AWS that refuses everything. */
  async function osls(cwd: string, ...args: string[]) {
    let requests = 0;
    const aws = createServer((_, response) => {
      requests++;
      response.writeHead(403).end();
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => aws.once('listening', listening));
    const { port } = aws.address() as AddressInfo;
    const account = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'x', AWS_EC2_METADATA_DISABLED: 'true' };
    const env = { PATH: process.env['PATH'], HOME: cwd, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, ...account };
    const program = resolve(ROOT, 'node_modules/osls/bin/serverless.js');
    const { output, stdout } = await new Promise<{ output: string; stdout: string }>((done) => {
      execFile(process.execPath, [program, ...args], { cwd, env }, (_, stdout, stderr) =>
        done({ output: stdout + stderr, stdout }),
      );
    });
    aws.closeAllConnections();
    aws.close();
    return { output, stdout, requests };
  }

  test.each([
    [
      ['deploy', '--param=sessionsPerArray=9999'],
      'The parameter sessionsPerArray must be a whole number from 1 to 500.',
    ],
    [['deploy', '--stage=abcdefghijklmnopq'], 'The stage name can have at most 14 characters, but has 17.'],
    [['deploy', '--param=deletionProtection=perhaps'], 'The parameter deletionProtection must be true or false.'],
    [
      ['package', '--param=queueConcurrency=1'],
      'The parameter queueConcurrency must be a whole number from 2 to 1000.',
    ],
    [['print', '--param=sessionPerArray=7'], 'There is no parameter sessionPerArray. Did you mean sessionsPerArray?'],
    [['deploy', 'function', '-f', 'login', '--param=runbook=a b'], 'The parameter runbook must be a URL or a path'],
    [
      ['deploy', '--region=eu-west-1', `--param=stateMachineArnPrefix=${OTHERS.stateMachineArnPrefix}`],
      'The parameter stateMachineArnPrefix must name the region of the stack.',
    ],
    [
      ['deploy', `--param=stateMachineArnPrefix=${OTHERS.stateMachineArnPrefix}`],
      'The parameter stateMachineArnPrefix must name the region of the stack.',
    ],
  ])('%j reports the mistake and sends no request', async (args, fault) => {
    const { output, requests } = await osls(project(), ...args);
    expect(output).toContain(`Error:\n${fault}`);
    expect(requests).toBe(0);
  });

  test('accepts state machines of the region to which it deploys, and of any region when it only packages', async () => {
    const param = `--param=stateMachineArnPrefix=${OTHERS.stateMachineArnPrefix}`;
    const deployed = await osls(project(), 'deploy', '--region=eu-central-1', param);
    expect([deployed.output.includes('The parameter'), deployed.requests > 0]).toEqual([false, true]);
    expect((await osls(project(), 'print', '--region=eu-west-1', param)).output).toContain(
      OTHERS.stateMachineArnPrefix,
    );
  });

  test('checks values that come from variables', async () => {
    const directory = project();
    const path = join(directory, 'serverless.yml');
    const inStage = `  prod:\n    sessionsPerArray: $\{env:SESSIONS, '0'}\n`;
    writeFileSync(path, readFileSync(path, 'utf8').replace('\nprovider:', `\n${inStage}\nprovider:`));
    const { output } = await osls(directory, 'print', '--stage=prod');
    expect(output).toContain('Error:\nThe parameter sessionsPerArray must be');
  });

  test('sets the tags, the bucket and the protection of the stack', async () => {
    const parameters = {
      deletionProtection: 'false',
      stackTags: 'team=storage, note=a=b c',
      deploymentBucket: 'our-artifacts',
    };
    const given = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
    const providerOf = async (...args: string[]) => parse((await osls(project(), 'print', ...args)).stdout).provider;
    expect(await providerOf(...given)).toMatchObject({
      deletionProtection: false,
      stackTags: { team: 'storage', note: 'a=b c' },
      deploymentBucket: 'our-artifacts',
    });
    expect(await providerOf()).toMatchObject({
      deletionProtection: true,
      stackTags: {},
      deploymentBucketObject: { blockPublicAccess: true },
    });
  });

  test('deploys bundles that are as new as the source, and no others', async () => {
    const directory = project();
    const fresh = await osls(directory, 'deploy');
    expect(fresh.output).not.toContain('npm run');
    expect(fresh.requests).toBeGreaterThan(0);

    writeFileSync(join(directory, 'lib/leases/open.ts'), '// another version\n');
    const stale = await osls(directory, 'deploy', '--stage=prod');
    expect(stale.output).toContain(
      'Error:\nThe functions were built before the latest change to lib/leases/open.ts. Run npm run',
    );
    expect(stale.requests).toBe(0);
    expect((await osls(directory, 'deploy', 'function', '-f', 'login')).output).toContain('lib/leases/open.ts');
    // Other commands do not need the bundles.
    expect((await osls(directory, 'info')).requests).toBeGreaterThan(0);

    rmSync(join(directory, 'dist'), { recursive: true });
    expect((await osls(directory, 'deploy')).output).toContain(
      'Error:\nThe functions are not built. Run npm run package',
    );
  });
});
