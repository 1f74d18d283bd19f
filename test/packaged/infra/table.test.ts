import { expect, it } from 'vitest';
import { LEASE_TABLE } from '../../kit/lease-table.ts';
import { template } from '../../kit/packaged.ts';

it('the lease table of the unit tests has the keys and indexes of the stack', () => {
  expect(template().Resources['LeaseTable']?.Properties).toMatchObject(LEASE_TABLE);
});

it('a table with another index is not taken for the stack’s', () => {
  const [due, owner] = LEASE_TABLE.GlobalSecondaryIndexes;
  const other = { ...LEASE_TABLE, GlobalSecondaryIndexes: [owner, due] };
  expect(template().Resources['LeaseTable']?.Properties).not.toMatchObject(other);
});
