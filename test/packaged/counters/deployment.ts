/** Every packaged function over one ledger and one simulated array, with counters of their connections. */
import { deploy } from '../../kit/deploy.ts';
import { FUNCTIONS } from '../../kit/packaged.ts';
import { startRelay } from './relay.ts';

const ENDPOINTS = [
  'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  'AWS_ENDPOINT_URL_KMS',
  'AWS_ENDPOINT_URL_DYNAMODB',
  'AWS_ENDPOINT_URL_EVENTBRIDGE',
] as const;

/** The only array of the fleet. */
export const ARRAY = 'fb1';

export type Everything = Awaited<ReturnType<typeof deployEverything>>;

export async function deployEverything() {
  const relays = await Promise.all(ENDPOINTS.map(async (name) => ({ name, ...(await startRelay()) })));
  const d = await deploy({ functions: FUNCTIONS, env: Object.fromEntries(relays.map(({ name, url }) => [name, url])) });
  for (const { name, to } of relays) to(d.aws.env[name]);
  d.addArray(ARRAY);
  return {
    ...d,
    /** How many connections the functions have opened to AWS so far. */
    awsConnections: (): number => relays.reduce((sum, { connections }) => sum + connections(), 0),
    stop: async (): Promise<void> => {
      await d.stop();
      await Promise.all(relays.map(({ stop }) => stop()));
    },
  };
}
