/** What a piece of work takes of this process. */

/** `peakKiB`: resident memory above what it was before. */
export type Used = { readonly wallMs: number; readonly cpuMs: number; readonly peakKiB: number };

const SAMPLE_MS = 20;

export async function using(work: () => Promise<void>): Promise<Used> {
  const rssBefore = process.memoryUsage.rss();
  let most = rssBefore;
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const timer = setInterval(look, SAMPLE_MS);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  try {
    await work();
  } finally {
    clearInterval(timer);
    look();
  }
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000, peakKiB: (most - rssBefore) / 1024 };
}
