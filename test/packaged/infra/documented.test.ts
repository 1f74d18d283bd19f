/** Compares docs/deploying.md and the stack outputs with the template. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../scripts/build.ts';
import { template } from '../../kit/packaged.ts';
import { page, tableRows } from '../../kit/pages.ts';
import { OTHERS } from './package-with.ts';
import { IF_SET, permissionTable } from './rules/permissions.ts';
import { permissionFaults } from './rules/roles.ts';
import { at, settled } from './template.ts';

const byDefault = settled(template());

describe('the page about deploying', () => {
  const lines = readFileSync(resolve(ROOT, 'serverless.yml'), 'utf8').split('\n');
  const section = lines.slice(lines.indexOf('params:'), lines.indexOf('provider:'));
  const declared = section.flatMap((line) => {
    const [, name, value = ''] = /^ {4}(\w+): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value.replace(/^'(.*)'$/, '$1')]];
  });

  it('lists every parameter with its default, and these tests change every parameter', () => {
    const rows = tableRows('parameter', page('deploying.md')).map(([name = '', value = '']) =>
      [name, value].map((text) => text.replaceAll('`', '')),
    );
    expect(rows).toEqual(declared);
    expect(Object.keys(OTHERS)).toEqual(declared.map(([name]) => name));
  });

  it('lists only permissions that a role has', () => {
    for (const row of permissionTable()) {
      // Only with parameters.
      if (/^every function (in a VPC|with `tracing)/.test(row[2] ?? '') || row[2]?.endsWith(IF_SET)) continue;
      const others = permissionTable().filter((other) => other.join() !== row.join());
      expect(permissionFaults(byDefault, others).join()).toContain('permissions');
    }
    const more = ['`dynamodb:Scan`', 'the lease table', '`login`'];
    expect(permissionFaults(byDefault, [...permissionTable(), more]).join()).toContain('LoginRole: permissions');
  });
});

describe('the stack outputs', () => {
  const NAMED = [
    ...['Login', 'Logout', 'CallArray', 'Renew', 'SessionEvents', 'SweepSessions', 'CheckFleet'].map(
      (name) => `${name}FunctionArn`,
    ),
    ...[
      'FleetCheckArn',
      'EventBusArn',
      'RequestQueueArn',
      'DeadLetterQueueArn',
      'FailedEventQueueArn',
      'FailedInvocationQueueArn',
      'AlarmTopicArn',
    ],
    ...['LeaseTableName', 'LeaseTableArn', 'LeaseKeyArn', 'SecretsKeyArn'],
  ];

  it('are listed on the page about deploying', () => {
    const names = tableRows('stack output', page('deploying.md')).flatMap(([cell = '']) =>
      Array.from(cell.matchAll(/`(\w+)`/g), ([, name]) => name),
    );
    expect(names).toEqual(NAMED);
  });

  it('are complete, and each refers to a resource of the template', () => {
    const outputs = byDefault.Outputs;
    expect(Object.keys(outputs).filter((name) => name !== 'ServerlessDeploymentBucketName')).toEqual(NAMED);
    for (const [name, output] of Object.entries(outputs)) {
      const id = String(at(output, 'Value/Fn::GetAtt/0') ?? at(output, 'Value/Ref'));
      expect(byDefault.Resources, name).toHaveProperty([id]);
    }
  });
});
