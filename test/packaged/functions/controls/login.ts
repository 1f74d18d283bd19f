/** A broken login that writes its intent after the login. A control for kills.test.ts; never deployed. */
import type { Context } from 'aws-lambda';
import type { Lease } from '../../../../lib/core/model.ts';
import { functionPorts, invoke } from '../../../../lib/lambda/invocation.ts';
import { openSession } from '../../../../lib/leases/open.ts';
import type { Ports } from '../../../../lib/leases/ports.ts';
import { parseLoginRequest } from '../../../../lib/leases/requests.ts';

const ports = functionPorts();

export const handler = (event: unknown, context: Context): Promise<Lease> =>
  invoke(
    context,
    () => parseLoginRequest(event, context.awsRequestId),
    (request, deadline) => openSession(intentAfterLogin(ports), request, deadline),
  );

/** For one call: the first write waits until the array has responded. */
function intentAfterLogin(kept: Ports): Ports {
  const { store, flashblade } = kept;
  let writeIntent = async (): Promise<unknown> => true;
  return {
    ...kept,
    store: {
      ...store,
      write: async (next, previous, by) => {
        if (next.kind !== 'lease' || next.state !== 'OPENING') return store.write(next, previous, by);
        const written = { ...next, version: 'not written yet' };
        writeIntent = async () => Object.assign(written, await store.write(next, previous, by));
        return written;
      },
    },
    flashblade: {
      ...flashblade,
      login: async (...call) => {
        const response = await flashblade.login(...call);
        await writeIntent();
        return response;
      },
    },
  };
}
