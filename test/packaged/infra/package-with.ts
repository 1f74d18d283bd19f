/** Packages the template with parameters other than the defaults. */
import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { functionEntries, ROOT } from '../../../scripts/build.ts';

/** A value other than the default for every parameter. */
export const OTHERS = {
  secretPrefix: 'flashblade/eu/',
  sessionsPerArray: '7',
  maxLeaseSeconds: '3600',
  arrayIdleSeconds: '600',
  allowedCalls: 'GET /api/**, POST /api/2.*/file-systems',
  stateMachineArnPrefix: 'arn:x:states:x:1:stateMachine:nightly-',
  queueConcurrency: '2',
  checkRate: 'rate(1 hour)',
  reserveConcurrency: 'false',
  programRoleArns: 'arn:x:iam::1:role/one, arn:x:iam::1:role/two',
  permissionsBoundaryArn: 'arn:x:iam::1:policy/bound',
  vpcSubnetIds: 'subnet-11111111, subnet-22222222',
  vpcSecurityGroupIds: 'sg-33333333',
  vpcEgress: '10.1.0.0/16, fd00:1::/64,pl-44444444',
  vpcId: 'vpc-55555555',
  deletionProtection: 'false',
  logRetentionInDays: '30',
  alarmEmail: 'storage@example.com',
  checkAlarmHours: '3',
  runbook: 'https://example.com/runbook.md',
};

/** The template that `npm run package` creates. */
export const DEFAULT_TEMPLATE = resolve(ROOT, '.serverless/cloudformation-template-update-stack.json');

/** Packages empty functions: only the template matters. Works in `directory`; returns the path of the template. */
export async function packageWith(parameters: Readonly<Record<string, string>>, directory: string): Promise<string> {
  await cp(resolve(ROOT, 'serverless.yml'), join(directory, 'serverless.yml'));
  await cp(resolve(ROOT, 'infra'), join(directory, 'infra'), { recursive: true });
  const bundles = join(directory, 'dist/functions');
  await mkdir(bundles, { recursive: true });
  await Promise.all(functionEntries().map((entry) => writeFile(join(bundles, `${basename(entry, '.ts')}.mjs`), '')));
  const given = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
  const osls = resolve(ROOT, 'node_modules/osls/bin/serverless.js');
  const env = { HOME: directory, CI: '1', SLS_DEPRECATION_NOTIFICATION_MODE: 'error' };
  await promisify(execFile)(process.execPath, [osls, 'package', ...given], { cwd: directory, env });
  return join(directory, '.serverless/cloudformation-template-update-stack.json');
}
