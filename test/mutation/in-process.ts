/** The tests that run lib/ in their own process, none of the packaged bundles: only they can be measured and mutated. */
export const IN_PROCESS = [
  'test/{ground,story,edges,client}/*.test.ts',
  'test/lambda/{batch,invocation,metrics,telemetry}.test.ts',
];
