/**
 * Runs `work` for every item in order, at most `limit` items at a time, and returns the results in the same order. The first error thrown
 * by `work` rejects the whole call, so catch errors inside `work`.
 */
export async function mapLimit<T, Result>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
