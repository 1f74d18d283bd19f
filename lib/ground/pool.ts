/** Many pieces of work, a few at a time. */

/** Does `work` on every item, in order, at most `limit` at a time. Work that throws ends all of it: catch inside. */
export async function eachOf<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
