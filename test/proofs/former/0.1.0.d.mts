/**
 * The lease code of version 0.1.0, bundled. It may still run while a stack is updated, or in a program that has not been updated.
 * It was built by esbuild from `lib/story` of that version, without its connections to AWS and arrays. It calls the ports `edges`.
 */
import type { Ports } from '../../../lib/leases/ports.ts';
import type { SessionOptions, UseOptions, Work } from '../../../lib/leases/use.ts';

export { FlashBladeError } from '../../../lib/core/errors.ts';
export { closeSession } from '../../../lib/leases/close.ts';
export { endOwner as endOwnerOf } from '../../../lib/leases/end-owner.ts';
export { openSession } from '../../../lib/leases/open.ts';
export { renewLease } from '../../../lib/leases/renew.ts';
export { sweep } from '../../../lib/leases/sweep.ts';

type WithEdges = { readonly edges: Ports };
export function withLease<T>(leaseId: string, work: Work<T>, options: UseOptions & WithEdges): Promise<T>;
export function withSession<T>(array: string, work: Work<T>, options: SessionOptions & WithEdges): Promise<T>;
