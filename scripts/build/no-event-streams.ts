/** Stands in for `@smithy/core/event-streams` inside the bundles: no operation that the functions call streams events. */
throw new Error('this operation streams events, and the bundle was built without them: see scripts/build/lean-sdk.ts');

export {};
