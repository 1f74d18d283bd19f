/** Clients that are wrong in one place each, as changes of the sources of lib/. */

export type FaultyClient = {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Where it is noticed: by the contract, or by the tests of answers that the contract cannot express. */
  readonly by: string;
  /** The test that must notice. */
  readonly test: string;
};

export const FAULTY_CLIENTS: Readonly<Record<string, FaultyClient>> = {
  'sends the API token in another header': {
    file: 'lib/edges/flashblade.ts',
    from: "'api-token': sendable",
    to: "'x-api-token': sendable",
    by: 'contracts/consumer/login.test.ts',
    test: 'a login with a valid API token opens a session of the user whose token it is',
  },
  'sends the API token in the query, too': {
    file: 'lib/edges/flashblade.ts',
    from: "path: '/api/login'",
    to: "path: '/api/login?api-token=' + token.reveal()",
    by: 'contracts/consumer/login.test.ts',
    test: 'a login with a valid API token opens a session of the user whose token it is',
  },
  'sends a body with the login': {
    file: 'lib/edges/flashblade.ts',
    from: "path: '/api/login', headers",
    to: "path: '/api/login', body: 'null', headers",
    by: 'contracts/consumer/login.test.ts',
    test: 'a login with a valid API token opens a session of the user whose token it is',
  },
  'sends a body with the logout': {
    file: 'lib/edges/flashblade.ts',
    from: "path: '/api/logout', headers",
    to: "path: '/api/logout', body: '{}', headers",
    by: 'contracts/consumer/logout.test.ts',
    test: 'a logout closes an open session, and the answer has no body',
  },
  'logs out on a versioned path': {
    file: 'lib/edges/flashblade.ts',
    from: "path: '/api/logout'",
    to: "path: '/api/2.26/logout'",
    by: 'contracts/consumer/logout.test.ts',
    test: 'a logout closes an open session, and the answer has no body',
  },
  'takes every 2xx for a login': {
    file: 'lib/edges/flashblade/login-answer.ts',
    from: 'answer.status !== 200',
    to: 'Math.floor(answer.status / 100) !== 2',
    by: 'test/client/login.test.ts',
    test: 'good, with another status',
  },
  'does not miss an auth token': {
    file: 'lib/edges/flashblade/login-answer.ts',
    from: 'isHeaderValue(value) ? authToken(value) : undefined',
    to: "authToken(value || 'none')",
    by: 'test/client/login.test.ts',
    test: '200 with no auth token',
  },
  'takes every 2xx for a logout': {
    file: 'lib/edges/flashblade.ts',
    from: 'status === 200 && body.length === 0',
    to: 'status >= 200 && status < 300',
    by: 'test/client/logout.test.ts',
    test: '204 is no logout, and said loudly',
  },
};
