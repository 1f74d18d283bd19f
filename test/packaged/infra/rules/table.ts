/** The ledger's table. */
import { LEASE_TABLE } from '../../../kit/lease-table.ts';
import { GONE } from '../template.ts';
import { must, only } from './rule.ts';

const TABLE = 'LeaseTable/Properties';
const [DUE, BY_OWNER] = LEASE_TABLE.GlobalSecondaryIndexes;
/** The index `due` without the states of leases. */
const STATELESS = { ...DUE, Projection: { ...DUE.Projection, NonKeyAttributes: ['array'] } };
const WHOLE_ITEMS = { ...BY_OWNER, Projection: { ProjectionType: 'ALL' } };

export const TABLE_RULES = [
  only('AWS::DynamoDB::Table', 'LeaseTable'),
  must('LeaseTable/DeletionPolicy', 'RetainExceptOnCreate', GONE),
  must('LeaseTable/UpdateReplacePolicy', 'Retain', GONE),
  must(`${TABLE}/BillingMode`, LEASE_TABLE.BillingMode, 'PROVISIONED'),
  must(`${TABLE}/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled`, true, GONE),
  must(`${TABLE}/DeletionProtectionEnabled`, true, false),
  must(`${TABLE}/SSESpecification/SSEEnabled`, true, GONE),
  must(`${TABLE}/TimeToLiveSpecification/AttributeName`, 'purgeAt', 'dueAt'),
  must(`${TABLE}/TimeToLiveSpecification/Enabled`, true, false),
  // The table of the unit tests is the stack's. An index holds what is read from it, and never a sealed token.
  must(`${TABLE}/AttributeDefinitions`, LEASE_TABLE.AttributeDefinitions, []),
  must(`${TABLE}/KeySchema`, LEASE_TABLE.KeySchema, [{ AttributeName: 'leaseId', KeyType: 'HASH' }]),
  must(
    `${TABLE}/GlobalSecondaryIndexes`,
    LEASE_TABLE.GlobalSecondaryIndexes,
    ...[[DUE], [BY_OWNER, DUE], [STATELESS, BY_OWNER], [DUE, WHOLE_ITEMS]],
  ),
];
