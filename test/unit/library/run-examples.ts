/** Runs the programs that it gets as arguments, one after the other. Reports each one to its parent, and waits for the parent's reply. */
import { once } from 'node:events';

// The stand-ins may be slower than the two seconds that a call to AWS may take.
AbortSignal.timeout = () => new AbortController().signal;

for (const file of process.argv.slice(2)) {
  const { default: run } = (await import(file)) as { default: () => Promise<void> };
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => String(thrown),
  );
  process.send?.({ file, error });
  await once(process, 'message');
}
process.exit(0);
