/** Replaces `@smithy/core/event-streams` in the bundles: no operation that the functions call streams events. */
throw new Error('this operation streams events, which the bundle does not support: see scripts/build/lean-sdk.ts');

export {};
