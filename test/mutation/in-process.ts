/** The tests that run lib/ in their own process, none of the packaged bundles: only they can be measured and mutated. */
export const IN_PROCESS = [
  'test/unit/{core,leases,fleet,aws,flashblade,lambda}/*.test.ts',
  'test/unit/compose.test.ts',
];
