/**
 * The ledger's code of version 0.1.0, bundled: what still runs somewhere while a stack is updated, or in a program that is not.
 * It was made by esbuild from `lib/story` of that version, without its connections to AWS and arrays.
 */
export { FlashBladeError } from '../../../lib/ground/errors.ts';
export { closeSession } from '../../../lib/story/close-session.ts';
export { endOwnerOf } from '../../../lib/story/end-owner.ts';
export { openSession } from '../../../lib/story/open-session.ts';
export { renewLease } from '../../../lib/story/renew-lease.ts';
export { sweep } from '../../../lib/story/sweep.ts';
export { withLease, withSession } from '../../../lib/story/use-session.ts';
