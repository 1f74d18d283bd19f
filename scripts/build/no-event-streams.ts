/** Replaces `@smithy/core/event-streams` in the bundles, because the functions call no operation that streams events. */
throw new Error('this operation streams events, which the bundle does not support; see scripts/build/lean-sdk.ts');

export {};
