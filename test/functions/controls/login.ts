/** The login as it must not be: its intent is written after the login. The control of kills.test.ts, never deployed. */
import type { Context } from 'aws-lambda';
import type { Lease } from '../../../lib/ground/model.ts';
import { parseLoginRequest } from '../../../lib/ground/requests.ts';
import { functionEdges, invoke } from '../../../lib/lambda/invocation.ts';
import type { Edges } from '../../../lib/story/edges.ts';
import { openSession } from '../../../lib/story/open-session.ts';

const edges = functionEdges();

export const handler = (event: unknown, context: Context): Promise<Lease> =>
  invoke(
    context,
    () => parseLoginRequest(event, context.awsRequestId),
    (request, deadline) => openSession(intentAfterLogin(edges), request, deadline),
  );

/** For one call: the first write waits until the array has answered. */
function intentAfterLogin(kept: Edges): Edges {
  const { leases, flashblade } = kept;
  let writeIntent = async (): Promise<unknown> => true;
  return {
    ...kept,
    leases: {
      ...leases,
      write: async (next, previous, by) => {
        if (next.kind !== 'lease' || next.state !== 'OPENING') return leases.write(next, previous, by);
        writeIntent = () => leases.write(next, previous, by);
        return true;
      },
    },
    flashblade: {
      ...flashblade,
      login: async (...call) => {
        const answer = await flashblade.login(...call);
        await writeIntent();
        return answer;
      },
    },
  };
}
