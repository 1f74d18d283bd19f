/** The ledger's indexes, which lag behind the table. Each item has its own lag. */
import type { Item } from '../../../lib/leases/items.ts';
import type { LedgerIndex } from '../../../lib/testing/store.ts';

/** A former state of an item, and until when it was current (epoch, ms). */
type Past = { readonly item: Item | undefined; readonly untilMs: number };

const KEPT_MS = 120_000;

/** `lagMs`: how far one item lags behind when it is read. */
export function laggingIndex(now: () => number, lagMs: () => number): LedgerIndex {
  const present = new Map<string, Item>();
  const pasts = new Map<string, Past[]>();

  function seen(id: string): Item | undefined {
    const since = now() - lagMs();
    const past = pasts.get(id)?.find(({ untilMs }) => untilMs > since);
    return past ? past.item : present.get(id);
  }

  return {
    change: (id, item) => {
      const kept = (pasts.get(id) ?? []).filter(({ untilMs }) => untilMs > now() - KEPT_MS);
      pasts.set(id, [...kept, { item: present.get(id), untilMs: now() }]);
      if (item) present.set(id, item);
      else present.delete(id);
    },
    items: () => [...new Set([...present.keys(), ...pasts.keys()])].flatMap((id) => seen(id) ?? []),
  };
}
