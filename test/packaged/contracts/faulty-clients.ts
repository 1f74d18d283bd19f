/** Faulty clients: each is one change in the source code of lib/. */
import type { Patch } from '../../proofs/controls.ts';

/** `by`: the test file that detects the fault. `test`: the test that must fail. */
export type FaultyClient = Patch & { readonly by: string; readonly test: string };

const [CLIENT, RESPONSES] = ['lib/flashblade/client.ts', 'lib/flashblade/responses.ts'];
const LOGIN = {
  file: CLIENT,
  by: 'contracts/consumer/login.test.ts',
  test: 'a login with a valid API token opens a session for the user who owns the token',
};
const LOGOUT = {
  file: CLIENT,
  by: 'contracts/consumer/logout.test.ts',
  test: 'a logout closes an open session, and its response has no body',
};

/** The last three are faults that the contract cannot express. */
export const FAULTY_CLIENTS: Readonly<Record<string, FaultyClient>> = {
  'sends the API token in another header': {
    ...LOGIN,
    find: "'api-token': sendable",
    replace: "'x-api-token': sendable",
  },
  'also sends the API token in the query': {
    ...LOGIN,
    find: "path: '/api/login'",
    replace: "path: '/api/login?api-token=' + token.reveal()",
  },
  'sends a body with the login': {
    ...LOGIN,
    find: "path: '/api/login', headers",
    replace: "path: '/api/login', body: 'null', headers",
  },
  'sends a body with the logout': {
    ...LOGOUT,
    find: "path: '/api/logout', headers",
    replace: "path: '/api/logout', body: '{}', headers",
  },
  'logs out on a versioned path': {
    ...LOGOUT,
    find: "path: '/api/logout'",
    replace: "path: '/api/2.26/logout'",
  },
  'accepts every 2xx as a login': {
    file: RESPONSES,
    find: 'response.status !== 200',
    replace: 'Math.floor(response.status / 100) !== 2',
    by: 'test/unit/flashblade/login.test.ts',
    test: 'a valid body with status 201',
  },
  'accepts a login without an auth token': {
    file: RESPONSES,
    find: 'isHeaderValue(value) ? authToken(value) : undefined',
    replace: "authToken(value || 'none')",
    by: 'test/unit/flashblade/login.test.ts',
    test: 'status 200 with no auth token',
  },
  'accepts every 2xx as a logout': {
    file: CLIENT,
    find: 'status === 200 && body.length === 0',
    replace: 'status >= 200 && status < 300',
    by: 'test/unit/flashblade/logout.test.ts',
    test: 'status 204 is not a logout and fails as ANSWER_INVALID',
  },
};
