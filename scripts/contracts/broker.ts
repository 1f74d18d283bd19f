/**
 * Fetches pacts from a Pact Broker and publishes results to it. The broker's API: https://docs.pact.io/pact_broker/advanced_topics/api_docs.
 * All links come from the broker's index, and only links to the broker itself are followed, because each request contains its credentials.
 */
import * as v from 'valibot';

export type Broker = { readonly url: URL; readonly authorization?: string | undefined };

export type BrokerPact = {
  /** How the broker names the pact, with its consumer's version. */
  readonly name: string;
  readonly text: string;
  /** Where results for exactly this content are published. */
  readonly results: URL;
};

export type Outcome = {
  readonly success: boolean;
  /** Version of the provider that was verified, and optionally its branch and the URL of the CI run. */
  readonly version: string;
  readonly branch?: string | undefined;
  readonly buildUrl?: string | undefined;
  /** Version of this project. */
  readonly verifiedBy: string;
};

const LIMIT_MS = 30_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the broker at this URL, with the credentials in the environment. Throws an Error that names the option or the variable. */
export function brokerAt(text: string, environment: Environment): Broker {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url?.hostname ?? '');
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback)))
    throw new Error('--broker must be the URL of a Pact Broker and begin with https://');
  if (url.username !== '' || url.password !== '')
    throw new Error('--broker must not contain a password. Set PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD instead');
  const { PACT_BROKER_TOKEN: token, PACT_BROKER_USERNAME: user, PACT_BROKER_PASSWORD: password } = environment;
  if (token && (user || password)) throw new Error('set PACT_BROKER_TOKEN or PACT_BROKER_USERNAME, but not both');
  if (Boolean(user) !== Boolean(password))
    throw new Error('set both PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD, or neither');
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return { url, authorization: token ? `Bearer ${token}` : user ? basic : undefined };
}

const link = v.object({ href: v.string() });
const index = v.object({
  _links: v.object({ 'pb:provider-pacts-for-verification': link, 'pb:pacticipant-branch-version': v.optional(link) }),
});
const list = v.object({
  _embedded: v.object({
    pacts: v.array(v.object({ shortDescription: v.optional(v.string()), _links: v.object({ self: link }) })),
  }),
});
const published = v.object({
  _links: v.object({
    self: v.object({ name: v.optional(v.string()) }),
    'pb:publish-verification-results': link,
  }),
});

/** The pacts of the consumers' main branches, and of the versions that are deployed or released. */
const SELECTORS = [{ mainBranch: true }, { deployedOrReleased: true }];

/** Returns every pact that the provider must fulfill. Throws an Error. */
export async function fetchPacts(broker: Broker, provider: string, signal: AbortSignal): Promise<BrokerPact[]> {
  const { _links: links } = read(index, await send(broker, broker.url, { signal }));
  const url = linked(broker, links['pb:provider-pacts-for-verification'].href, { provider });
  const body = { consumerVersionSelectors: SELECTORS, includePendingStatus: false };
  const found = read(list, await send(broker, url, { signal, method: 'POST', body }));
  const pacts: BrokerPact[] = [];
  for (const { _links } of found._embedded.pacts) {
    const text = await send(broker, linked(broker, _links.self.href), { signal });
    const { self, 'pb:publish-verification-results': results } = read(published, text)._links;
    pacts.push({ name: self.name ?? 'a pact', text, results: linked(broker, results.href) });
  }
  if (pacts.length > 0) return pacts;
  throw new Error(
    `the Pact Broker has no pact for the provider ${provider} whose consumer is on its main branch, deployed or released. Publish the pact with --branch, and set the consumer's main branch`,
  );
}

/** Publishes a result, and before that the provider version's branch. Throws an Error. */
export async function publish(
  broker: Broker,
  provider: string,
  { results }: BrokerPact,
  { success, version, branch, buildUrl, verifiedBy }: Outcome,
  signal: AbortSignal,
): Promise<void> {
  if (branch !== undefined) {
    const { _links: links } = read(index, await send(broker, broker.url, { signal }));
    const template = links['pb:pacticipant-branch-version']?.href;
    if (template === undefined) throw new Error('this version of the Pact Broker has no branches. Omit --branch');
    const url = linked(broker, template, { pacticipant: provider, branch, version });
    await send(broker, url, { signal, method: 'PUT', body: {} });
  }
  const body = {
    ...{ success, providerApplicationVersion: version, ...(buildUrl && { buildUrl }) },
    verifiedBy: { implementation: 'flashblade-sessions', version: verifiedBy },
  };
  await send(broker, results, { signal, method: 'POST', body });
}

/** Fills in a link's template. */
function linked({ url }: Broker, href: string, values: Readonly<Record<string, string>> = {}): URL {
  const complete = href.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const target = URL.canParse(complete, url) ? new URL(complete, url) : undefined;
  if (target?.origin === url.origin) return target;
  throw new Error("a link of the Pact Broker leads to another host. Set the broker's base URL to the URL in --broker");
}

type Sent = { readonly signal: AbortSignal; readonly method?: 'POST' | 'PUT'; readonly body?: object };

async function send({ authorization }: Broker, url: URL, { signal, method, body }: Sent): Promise<string> {
  const what = `${method ?? 'GET'} ${url.pathname}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: method ?? 'GET',
      // Another host must not receive the credentials.
      redirect: 'error',
      headers: {
        Accept: 'application/hal+json, application/json',
        ...(body && { 'Content-Type': 'application/json' }),
        ...(authorization && { Authorization: authorization }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
    });
    text = await response.text();
  } catch (error) {
    const { cause, message } = error as Error;
    throw new Error(`the Pact Broker did not respond to ${what}: ${cause instanceof Error ? cause.message : message}`);
  }
  if (response.ok) return text;
  const hint = { 401: ': check the credentials', 403: ': check the permissions of the credentials' }[response.status];
  throw new Error(`the Pact Broker responded to ${what} with status ${response.status}${hint ?? ''}`);
}

function read<Schema extends v.GenericSchema>(schema: Schema, text: string): v.InferOutput<Schema> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (parsed.success) return parsed.output;
  const where = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'the whole response').join(', ');
  throw new Error(`this is not a Pact Broker of version 2.86 or newer: its response lacks ${where}`);
}
