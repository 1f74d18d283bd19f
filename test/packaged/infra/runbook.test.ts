/** The runbook contains what alarms, errors and queries refer to, and its sums are correct. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../../lib/lambda/metrics.ts';
import { ROOT } from '../../../scripts/build.ts';
import { template } from '../../kit/packaged.ts';
import { page, tableRows } from '../../kit/pages.ts';
import { alarmsOf, watchedBy } from './rules/alarms.ts';
import { FIELDS, fieldsIn, headings, queries, RUNBOOK } from './runbook.ts';
import { render } from './template.ts';

const scripts: Record<string, string> = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')).scripts;
const rows = (heading: string, nth?: number): string[][] => tableRows(heading, RUNBOOK, nth);

describe('the runbook', () => {
  it('lists every alarm with a link to the section that the alarm names', () => {
    const alarms = alarmsOf(template()).map(([, { AlarmName, AlarmDescription }]) => [
      render(AlarmName).replace('<StackName>-', ''),
      String(AlarmDescription).replace(/^.*#/, ''),
    ]);
    const listed = rows('alarm, after `<stack>-`').flatMap(([names = '']) => {
      const section = /\(#([\w-]+)\)/.exec(names)?.[1] ?? '';
      return [...names.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => [name, section]);
    });
    expect(listed.sort()).toEqual(alarms.sort());
    expect(RUNBOOK).toContain(`The ${alarms.length} alarms`);
    expect(page('deploying.md')).toContain(` ${alarms.length} alarms`);
  });

  it('has every section that it links to, exactly once', () => {
    const links = [...RUNBOOK.matchAll(/\]\(#([^)]+)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(40);
    expect(links.filter((link) => !headings().has(link))).toEqual([]);
    expect(headings().size).toBe(RUNBOOK.match(/^#{1,4} /gm)?.length);
  });

  it('names commands that exist', () => {
    const named = [...RUNBOOK.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(['leases', 'trust', 'secret']));
    for (const name of named) expect(scripts).toHaveProperty([String(name)]);
  });

  it('uses only existing log fields in its queries', () => {
    expect(queries().length).toBeGreaterThan(12);
    for (const query of queries()) expect(FIELDS).toEqual(expect.arrayContaining(fieldsIn(query)));
    expect(fieldsIn("filter lease = 'x' | stats count(*) as n by errorCode | sort n")).toEqual(['lease', 'errorCode']);
  });
});

describe('the service levels', () => {
  const named = rows('objective').flatMap(([, , metrics = '']) =>
    [...metrics.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
  const dashboard = render(template().Resources['Dashboard']?.Properties['DashboardBody']);
  const isShown = (name: string): boolean => {
    const [metric, namespace] = name.split(' ').reverse();
    const exists = namespace === undefined ? METRICS.has(name) : namespace.startsWith('AWS/');
    return exists && new RegExp(`\\b${metric}\\b`).test(dashboard);
  };

  it('name metrics that exist and that the dashboard shows', () => {
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !isShown(name))).toEqual([]);
    // Controls: a metric that does not exist, and one that the dashboard does not show.
    expect(['LoginWaited', 'SweepFailedOften'].filter(isShown)).toEqual([]);
  });
});

describe('the cost estimate', () => {
  it.each([0, 1, 2, 3])('has correct products and sums in table %d', (nth) => {
    const lines = rows('what', nth);
    const [together, ...parts] = lines.reverse().map((line) => line.map((cell) => Number(cell)));
    for (const [, units = 0, price = 0, cost = 0] of parts) expect(Math.abs(units * price - cost)).toBeLessThan(0.006);
    const sum = parts.reduce((all, [, , , cost = 0]) => all + cost, 0);
    expect(sum).toBeGreaterThan(1);
    expect(together?.[3]).toBeCloseTo(sum, 5);
  });

  it('matches the AWS calls of a session and the number of alarms', () => {
    const calls = rows('call').map(([call = '', ...counts]) => [call, counts.reduce((sum, n) => sum + Number(n), 0)]);
    const of = (name: RegExp): number =>
      calls.filter(([call]) => name.test(String(call))).reduce((sum, [, count]) => sum + Number(count), 0);
    const units = Object.fromEntries(
      ['DynamoDB, write', 'DynamoDB, read', 'KMS, req', 'alarms'].map((what) => [what, unitsOf(what)]),
    );
    const watched = alarmsOf(template()).flatMap(([, alarm]) => watchedBy(alarm));
    expect(units).toEqual({
      // Six index entries in addition to the item writes.
      'DynamoDB, write': (of(/PutItem|UpdateItem/) + 6) * 1e6,
      'DynamoDB, read': of(/GetItem/) * 1e6,
      'KMS, req': of(/kms:/) * 1e6,
      alarms: watched.length,
    });
  });
});

const unitsOf = (what: string): number =>
  Number([...rows('what', 0), ...rows('what', 1)].find(([name = '']) => name.startsWith(what))?.[1]);
