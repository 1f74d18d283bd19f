/** Rules for the ledger's table. */
import { at, differs, type Json, list, resourcesOf, type Template } from './template.ts';

const INDEXES = { due: ['duePartition', 'dueAt'], owner: ['owner'] };
/** Exactly the attributes that are read from an index in addition to its keys. Never a sealed token. */
const PROJECTIONS: { readonly [index: string]: Json } = {
  due: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['array', 'state'] },
  owner: { ProjectionType: 'KEYS_ONLY' },
};

export const tableFaults = (template: Template): string[] => {
  const [table, ...others] = resourcesOf(template, 'AWS::DynamoDB::Table');
  if (table === undefined || others.length > 0) return ['there must be one table'];
  const [id, { Properties: of, DeletionPolicy, UpdateReplacePolicy }] = table;
  const recovery = at(of, 'PointInTimeRecoverySpecification', 'PointInTimeRecoveryEnabled');
  return [
    ...differs(`${id}: billing`, at(of, 'BillingMode'), 'PAY_PER_REQUEST'),
    ...differs(`${id}: point-in-time recovery`, recovery, true),
    ...differs(`${id}: protection from deletion`, at(of, 'DeletionProtectionEnabled'), true),
    ...differs(`${id}: encryption`, at(of, 'SSESpecification', 'SSEEnabled'), true),
    ...differs(`${id}: purge`, at(of, 'TimeToLiveSpecification'), { AttributeName: 'purgeAt', Enabled: true }),
    ...differs(
      `${id}: what happens to it with the stack`,
      [DeletionPolicy ?? null, UpdateReplacePolicy ?? null],
      ['RetainExceptOnCreate', 'Retain'],
    ),
    ...differs(`${id}: key`, names(at(of, 'KeySchema')), ['id']),
    ...indexFaults(id, list(at(of, 'GlobalSecondaryIndexes'))),
  ];
};

const names = (schema: Json | undefined): Json[] => list(schema).map((key) => at(key, 'AttributeName') ?? null);

const indexFaults = (id: string, indexes: Json[]): string[] => [
  ...differs(
    `${id}: indexes`,
    Object.fromEntries(indexes.map((index) => [String(at(index, 'IndexName')), names(at(index, 'KeySchema'))])),
    INDEXES,
  ),
  ...indexes.flatMap((index) => {
    const name = String(at(index, 'IndexName'));
    return differs(`${id}: what the index ${name} holds`, at(index, 'Projection'), PROJECTIONS[name] ?? null);
  }),
];
