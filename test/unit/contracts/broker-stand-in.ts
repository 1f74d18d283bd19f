/** The part of a Pact Broker's API that verifications use. `broker.test.ts` runs Pact's own verifier against it. */
import { startLoopback } from '../../../contracts/verification/loopback.ts';

const PROVIDER = 'flashblade';

export type BrokerOptions = {
  /** The value of the Authorization header, without which the broker responds with 401. */
  readonly authorization?: string;
  /** The pacts to verify, as JSON. */
  readonly pacts?: readonly object[];
  /** Where links lead. Default: to the broker itself. */
  readonly linksTo?: string;
};

export type Received = { readonly call: string; readonly body: unknown };

export async function startBroker({ authorization, pacts = [], linksTo }: BrokerOptions = {}) {
  const received: Received[] = [];
  const server = await startLoopback(async (request, text, response) => {
    const { method = '', url = '', headers } = request;
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/hal+json;charset=utf-8' }).end(JSON.stringify(body));
    };
    if (authorization !== undefined && headers.authorization !== authorization)
      return reply(401, { error: 'Unauthorized' });
    received.push({ call: `${method} ${url}`, body: text === '' ? undefined : JSON.parse(text) });
    const to = (path: string) => ({ href: `${linksTo ?? server.url}${path}` });
    const [, pact] = /^GET \/pacts\/provider\/flashblade\/pact-version\/(\d+)$/.exec(`${method} ${url}`) ?? [];
    if (pact !== undefined && pacts[Number(pact)] !== undefined)
      return reply(200, {
        ...pacts[Number(pact)],
        _links: {
          self: { ...to(url), name: `Pact ${pact}` },
          'pb:provider': to(`/pacticipants/${PROVIDER}`),
          'pb:publish-verification-results': to(`${url}/verification-results`),
        },
      });
    switch (`${method} ${url.replace(/pact-version\/\d+/, 'pact-version/N')}`) {
      case 'GET /':
        return reply(200, {
          _links: {
            'pb:provider-pacts-for-verification': {
              ...to('/pacts/provider/{provider}/for-verification'),
              templated: true,
            },
            'pb:pacticipant-branch-version': {
              ...to('/pacticipants/{pacticipant}/branches/{branch}/versions/{version}'),
              templated: true,
            },
          },
        });
      case `POST /pacts/provider/${PROVIDER}/for-verification`:
      // Pact's verifier first tries GET.
      case `GET /pacts/provider/${PROVIDER}/for-verification`:
        return reply(200, {
          _embedded: {
            pacts: pacts.map((_, number) => ({
              shortDescription: 'latest from main branch',
              _links: { self: { ...to(`/pacts/provider/${PROVIDER}/pact-version/${number}`), name: `Pact ${number}` } },
            })),
          },
          _links: { self: to(url) },
        });
      case `GET /pacticipants/${PROVIDER}`:
        return reply(200, {
          name: PROVIDER,
          _links: { 'pb:branch-version': to(`/pacticipants/${PROVIDER}/branches/{branch}/versions/{version}`) },
        });
      case `POST /pacts/provider/${PROVIDER}/pact-version/N/verification-results`:
        return reply(201, { _links: { self: to(`${url}/1`) } });
      default:
        return method === 'PUT' && url.startsWith(`/pacticipants/${PROVIDER}/`)
          ? reply(201, { _links: { self: to(url) } })
          : reply(404, { error: 'The requested document was not found on this server.' });
    }
  });
  return {
    ...server,
    received,
    /** What clients published: `POST …/verification-results` and `PUT …`, each with its body. */
    published: () => received.filter(({ call }) => /verification-results$|^PUT /.test(call)),
  };
}
