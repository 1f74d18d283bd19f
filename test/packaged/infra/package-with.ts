/** Packages the template with parameters other than the defaults. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { functionEntries } from '../../../scripts/build.ts';
import { packageFunctions } from '../../../scripts/package.ts';

/** A value other than the default for every parameter. */
export const OTHERS = {
  secretPrefix: 'flashblade/eu/',
  sessionsPerArray: '7',
  maxLeaseSeconds: '3600',
  arrayIdleSeconds: '600',
  dueShards: '16',
  allowedCalls: 'GET /api/**, POST /api/2.*/file-systems',
  stateMachineArnPrefix: 'arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-',
  maxRequestAgeSeconds: '600',
  queueConcurrency: '2',
  checkRate: 'rate(1 hour)',
  checkConcurrency: '12',
  reserveConcurrency: 'true',
  programRoleArns: 'arn:x:iam::111111111111:role/one, arn:x:iam::111111111111:role/two',
  permissionsBoundaryArn: 'arn:x:iam::111111111111:policy/bound',
  vpcSubnetIds: 'subnet-11111111, subnet-22222222',
  vpcSecurityGroupIds: 'sg-33333333',
  vpcEgress: '10.1.0.0/16, fd00:1::/64,pl-44444444',
  vpcId: 'vpc-55555555',
  deletionProtection: 'false',
  stackTags: 'team=storage, cost-center=a=42',
  deploymentBucket: 'our-artifacts',
  tracing: 'Active',
  logRetentionInDays: '30',
  alarmEmail: 'storage@example.com',
  checkAlarmHours: '3',
  runbook: 'https://example.com/runbook.md',
};

/** Packages empty functions: only the template matters. Works in `directory`; returns the directory of the template. */
export async function packageWith(parameters: Readonly<Record<string, string>>, directory: string): Promise<string> {
  const bundles = join(directory, 'functions');
  await mkdir(bundles);
  await Promise.all(functionEntries().map((entry) => writeFile(join(bundles, `${basename(entry, '.ts')}.mjs`), '')));
  return dirname((await packageFunctions({ bundles, outdir: join(directory, 'package'), parameters })).template);
}
