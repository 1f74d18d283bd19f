/** The ledger's table. */
import { LEASE_TABLE } from '../../../kit/lease-table.ts';
import { must, mustAll, only } from './rule.ts';

const [DUE, BY_OWNER] = LEASE_TABLE.GlobalSecondaryIndexes;
/** The index `due` without the states of leases. */
const STATELESS = { ...DUE, Projection: { ...DUE.Projection, NonKeyAttributes: ['array'] } };
const WHOLE_ITEMS = { ...BY_OWNER, Projection: { ProjectionType: 'ALL' } };

export const TABLE_RULES = [
  only('AWS::DynamoDB::Table', 'LeaseTable'),
  ...mustAll('LeaseTable', { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' }),
  ...mustAll('LeaseTable/Properties', {
    BillingMode: LEASE_TABLE.BillingMode,
    'PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled': true,
    DeletionProtectionEnabled: true,
    'SSESpecification/SSEEnabled': true,
    'TimeToLiveSpecification/AttributeName': 'purgeAt',
    'TimeToLiveSpecification/Enabled': true,
    // The table of the unit tests is the stack's. An index holds what is read from it, and never a sealed token.
    AttributeDefinitions: LEASE_TABLE.AttributeDefinitions,
    KeySchema: LEASE_TABLE.KeySchema,
  }),
  must(
    'LeaseTable/Properties/GlobalSecondaryIndexes',
    LEASE_TABLE.GlobalSecondaryIndexes,
    ...[[DUE], [BY_OWNER, DUE], [STATELESS, BY_OWNER], [DUE, WHOLE_ITEMS]],
  ),
];
