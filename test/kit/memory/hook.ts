/**
 * Port calls as values. A hook receives each call instead of the port and decides what to do. The hook can count, delay, repeat or lose
 * the call, or never make it.
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
  readonly port: 'secrets' | 'store' | 'seal' | 'flashblade' | 'executions' | 'outbox';
  readonly method: string;
  /** The call's name in tests: `secret` for reading a secret, `write OPENING` or `write owner` for a write, otherwise the method. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** When the caller stops waiting, by the caller's clock (milliseconds since the epoch). */
  readonly by: number;
  /** Makes the call. */
  readonly act: () => Promise<T>;
};

export type Hook = <T>(call: Call<T>) => Promise<T>;

/** Makes the call. */
export const direct: Hook = ({ act }) => act();

type Group = Record<string, (...args: never[]) => Promise<unknown>>;

/** Wraps a port so that every call passes through the hook. */
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

/** Wraps the ports so that every call passes through the hook. Sealing is not a call, because it does not leave the process. */
export function hooked(ports: Ports, hook: Hook): Ports {
  const { secrets, store, seal, flashblade, executions } = ports;
  return {
    ...ports,
    secrets: through('secrets', secrets, hook),
    store: through('store', store, hook),
    seal: { ...through('seal', seal, hook), seal: seal.seal },
    flashblade: through('flashblade', flashblade, hook),
    // Whether an owner is an execution is not a call either.
    ...(executions && {
      executions: { ...through('executions', executions, hook), isExecution: executions.isExecution },
    }),
  };
}

export const hookedOutbox = (outbox: Outbox, hook: Hook): Outbox => through('outbox', outbox, hook);

function nameOf(method: string, args: readonly unknown[]): string {
  if (method !== 'write') return method === 'read' && typeof args[1] === 'object' ? 'secret' : method;
  const item = args[0] as Item;
  return `write ${item.kind === 'lease' ? item.state : item.kind}`;
}

/** Returns a call's deadline: `by` or `deadline` in the options, or the last number among the arguments. */
function byOf(args: readonly unknown[]): number {
  const options = args.at(-1) as { by?: number; deadline?: number } | undefined;
  if (typeof options === 'object') return options.by ?? options.deadline ?? Number.POSITIVE_INFINITY;
  return args.findLast((argument) => typeof argument === 'number') as number;
}
