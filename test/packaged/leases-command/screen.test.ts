import { describe, expect, it } from 'vitest';
import { readCommand } from '../../../scripts/leases/arguments.ts';
import { closedText, itemText, span, table } from '../../../scripts/leases/screen.ts';

describe('the command line', () => {
  it.each([
    [['list'], { do: 'list', json: false }],
    [['list', '--array', 'fb1', '--json'], { do: 'list', array: 'fb1', json: true }],
    [['show', 'job-1'], { do: 'show', leaseId: 'job-1', json: false }],
    [['close', '--json', 'job-1'], { do: 'close', leaseId: 'job-1', json: true }],
    [['close', '--', '-odd-'], { do: 'close', leaseId: '-odd-', json: false }],
    [['close', '--array', 'fb1'], { do: 'close', array: 'fb1', json: false }],
    [['close', '--help'], 'help'],
  ])('accepts %j', (args, command) => {
    expect(readCommand(args)).toEqual(command);
  });

  it.each([
    [[], 'use list'],
    [['sweep'], 'use list'],
    [['close'], 'use list'],
    [['show', '--array', 'fb1'], 'use list'],
    [['close', 'job-1', '--array', 'fb1'], 'use list'],
    [['list', 'job-1'], 'use list'],
    [['show', 'a', 'b'], 'too many arguments'],
    [['close', '--array', '../x'], '--array: must be an array name'],
    [['show', 'two words'], 'lease id: must be 1 to 512'],
    [['list', '--all'], "Unknown option '--all'"],
  ])('refuses %j and names the rule', (args, message) => {
    expect(() => readCommand(args)).toThrow(message);
  });
});

describe('the output', () => {
  it('shows live leases as a table', () => {
    const lines = [
      { leaseId: 'job-1', array: 'fb1', username: 'pureuser', state: 'STUCK', owner: 'nightly', endsAt: 90, tries: 6 },
      { leaseId: 'job-22', array: 'fb1', state: 'SUSPECT', endsAt: 9000 },
    ] as const;
    expect(table(lines, 1000).split('\n')).toEqual([
      'LEASE ID  ARRAY  USER      STATE    OWNER    ENDS IN     TRIES',
      'job-1     fb1    pureuser  STUCK    nightly  -15 min     6',
      'job-22    fb1    -         SUSPECT  -        2 h 13 min  -',
    ]);
    expect(table([], 0)).toBe('There are no live leases.');
  });

  it.each([
    [0, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [-90.5, '-90 s'],
    [7199, '119 min'],
    [7260, '2 h 1 min'],
  ])('shows %d seconds as %s', (seconds, text) => {
    expect(span(seconds)).toBe(text);
  });

  it('shows the fields of a lease with readable times and the address of the array', () => {
    const target = { name: 'fb1', host: '::1', port: 443, trust: { kind: 'ca', ca: '-----BEGIN' } };
    expect(itemText({ state: 'OPEN', expiresAt: 1_800_000_000, tries: 2, target, owner: undefined })).toBe(
      [
        'state         OPEN',
        'expiresAt     1800000000  2027-01-15T08:00:00.000Z',
        'tries         2',
        'target        [::1]:443, trusted by ca',
      ].join('\n'),
    );
  });

  it('shows which leases were closed, and how many failed', () => {
    expect(closedText([])).toBe('There are no live leases.');
    expect(closedText([{ leaseId: 'a', outcome: 'CLOSED' }])).toBe('a  CLOSED');
    const failed = { leaseId: 'b', code: 'ARRAY_BUSY', message: 'it is busy' };
    expect(closedText([{ leaseId: 'a', outcome: 'CLOSED' }, failed])).toBe(
      'a  CLOSED\nb  FAILED ARRAY_BUSY: it is busy\n1 of 2 leases could not be closed. The sweeper will retry.',
    );
  });
});
