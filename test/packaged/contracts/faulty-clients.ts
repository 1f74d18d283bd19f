/** Faulty clients: each is one change in the source code of lib/. */

export type FaultyClient = {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The test file that detects the fault: a consumer test, or a test of responses that the contract cannot express. */
  readonly by: string;
  /** The test that must fail. */
  readonly test: string;
};

export const FAULTY_CLIENTS: Readonly<Record<string, FaultyClient>> = {
  'sends the API token in another header': {
    file: 'lib/flashblade/client.ts',
    from: "'api-token': sendable",
    to: "'x-api-token': sendable",
    by: 'contracts/consumer/login.test.ts',
    test: 'a login with a valid API token opens a session for the user who owns the token',
  },
  'also sends the API token in the query': {
    file: 'lib/flashblade/client.ts',
    from: "path: '/api/login'",
    to: "path: '/api/login?api-token=' + token.reveal()",
    by: 'contracts/consumer/login.test.ts',
    test: 'a login with a valid API token opens a session for the user who owns the token',
  },
  'sends a body with the login': {
    file: 'lib/flashblade/client.ts',
    from: "path: '/api/login', headers",
    to: "path: '/api/login', body: 'null', headers",
    by: 'contracts/consumer/login.test.ts',
    test: 'a login with a valid API token opens a session for the user who owns the token',
  },
  'sends a body with the logout': {
    file: 'lib/flashblade/client.ts',
    from: "path: '/api/logout', headers",
    to: "path: '/api/logout', body: '{}', headers",
    by: 'contracts/consumer/logout.test.ts',
    test: 'a logout closes an open session, and its response has no body',
  },
  'logs out on a versioned path': {
    file: 'lib/flashblade/client.ts',
    from: "path: '/api/logout'",
    to: "path: '/api/2.26/logout'",
    by: 'contracts/consumer/logout.test.ts',
    test: 'a logout closes an open session, and its response has no body',
  },
  'accepts every 2xx as a login': {
    file: 'lib/flashblade/responses.ts',
    from: 'response.status !== 200',
    to: 'Math.floor(response.status / 100) !== 2',
    by: 'test/unit/flashblade/login.test.ts',
    test: 'a valid body with status 201',
  },
  'accepts a login without an auth token': {
    file: 'lib/flashblade/responses.ts',
    from: 'isHeaderValue(value) ? authToken(value) : undefined',
    to: "authToken(value || 'none')",
    by: 'test/unit/flashblade/login.test.ts',
    test: 'status 200 with no auth token',
  },
  'accepts every 2xx as a logout': {
    file: 'lib/flashblade/client.ts',
    from: 'status === 200 && body.length === 0',
    to: 'status >= 200 && status < 300',
    by: 'test/unit/flashblade/logout.test.ts',
    test: 'status 204 is not a logout and fails as ANSWER_INVALID',
  },
};
