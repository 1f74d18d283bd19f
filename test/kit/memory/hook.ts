/**
 * Calls of the ports as values. A hook gets each call instead of the port, and decides what becomes of it: it can count, delay, repeat
 * or lose the call, or never make it.
 *
 *     const slowly: Hook = async (call) => {
 *       await wait(100);
 *       return call.act();
 *     };
 *     await openSession(hooked(ports, slowly), request, deadline);
 */
import type { Item } from '../../../lib/leases/items.ts';
import type { Outbox, Ports } from '../../../lib/leases/ports.ts';

export type Call<T = unknown> = {
  readonly port: 'secrets' | 'store' | 'seal' | 'flashblade' | 'outbox';
  readonly method: string;
  /** How tests name the call: its method, but `secret` for reading a secret, and `write OPENING` or `write owner` for a write. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** When the caller stops waiting, in epoch milliseconds by the caller's clock. */
  readonly by: number;
  /** Makes the call. */
  readonly act: () => Promise<T>;
};

export type Hook = <T>(call: Call<T>) => Promise<T>;

/** Makes the call. */
export const direct: Hook = ({ act }) => act();

type Group = Record<string, (...args: never[]) => Promise<unknown>>;

/** The same port; every call passes through the hook. */
export const through = <T extends object>(port: Call['port'], group: T, hook: Hook): T =>
  Object.fromEntries(
    Object.keys(group).map((method) => [
      method,
      (...args: never[]) =>
        hook({
          ...{ port, method, name: nameOf(method, args), args, by: byOf(args) },
          act: async () => (group as Group)[method]?.(...args),
        }),
    ]),
  ) as T;

/** The same ports; every call passes through the hook. Sealing is no call: it does not leave the process. */
export function hooked(ports: Ports, hook: Hook): Ports {
  const { secrets, store, seal, flashblade } = ports;
  return {
    ...ports,
    secrets: through('secrets', secrets, hook),
    store: through('store', store, hook),
    seal: { ...through('seal', seal, hook), seal: seal.seal },
    flashblade: through('flashblade', flashblade, hook),
  };
}

export const hookedOutbox = (outbox: Outbox, hook: Hook): Outbox => through('outbox', outbox, hook);

function nameOf(method: string, args: readonly unknown[]): string {
  if (method !== 'write') return method === 'read' && typeof args[1] === 'object' ? 'secret' : method;
  const item = args[0] as Item;
  return `write ${item.kind === 'lease' ? item.state : item.kind}`;
}

/** A call's deadline: `by` or `deadline` in its options, or the last number among its arguments. */
function byOf(args: readonly unknown[]): number {
  const options = args.at(-1) as { by?: number; deadline?: number } | undefined;
  if (typeof options === 'object') return options.by ?? options.deadline ?? Number.POSITIVE_INFINITY;
  return args.findLast((argument) => typeof argument === 'number') as number;
}
