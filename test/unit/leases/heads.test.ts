/**
 * A login, a logout and a call in a session, against a real server that sends every combination of status, body fault, HTTP version, framing
 * and content type. A small table of rules predicts what the caller gets and what the ledger records.
 */
import { afterEach, expect, it } from 'vitest';
import { known } from '../../../lib/core/errors.ts';
import { mapLimit } from '../../../lib/core/map-limit.ts';
import { apiToken, authToken, type FlashBlade } from '../../../lib/core/model.ts';
import { loginWithHttpInfo, logoutWithHttpInfo, request } from '../../../lib/flashblade/client.ts';
import { closeConnections } from '../../../lib/flashblade/pool.ts';
import { closeSession } from '../../../lib/leases/close.ts';
import { withLease } from '../../../lib/leases/use.ts';
import { open, opened, world } from '../../kit/memory/world.ts';
import { arrayAt, type Script, startServer } from '../flashblade/servers.ts';

afterEach(() => closeConnections());

const JSON_BODY = '{"error":[{"code":401,"context":"/api/x","message":"Access Denied"}]}';
const HTML_BODY = '<html><body>Access Denied</body></html>';
/** A content type and a body, and whether such a refusal comes from something in front of the array. */
const SHAPES: readonly (readonly [type: string | undefined, body: string, isFront: boolean])[] = [
  ['application/json', JSON_BODY, false],
  [undefined, JSON_BODY, false],
  [undefined, HTML_BODY, true],
  ['text/html; charset=utf-8', HTML_BODY, true],
];
const VERSIONS = ['1.1', '1.0'];
const CUTS = [
  'whole',
  'cut at the body',
  'cut after a byte',
  'cut at the last byte',
  'reset',
  'stalled',
  'extra bytes',
];
const FAULTS: Readonly<Record<string, readonly string[]>> = {
  length: [...CUTS, 'too long', 'two lengths'],
  chunks: [...CUTS, 'too long', 'bad size', 'bad trailer'],
  both: ['whole', 'cut after a byte'],
  none: ['closed', 'stalled'],
  'transfer coding': ['whole', 'cut after a byte'],
  'content coding': ['whole', 'stalled'],
};
const STATUSES = [200, 302, 400, 401, 403, 404, 429, 500, 503];

/** Longer than the client waits for a body that does not matter. */
const STALLED_MS = 2000;

type Row = {
  readonly status: number;
  readonly version: string;
  readonly framing: string;
  readonly fault: string;
  readonly shape: (typeof SHAPES)[number];
};

/** Every combination. The shape of the body only matters if the status is a refusal. */
const rowsOf = (refusals: readonly number[]): Row[] =>
  STATUSES.flatMap((status) =>
    SHAPES.slice(0, refusals.includes(status) ? SHAPES.length : 1).flatMap((shape) =>
      VERSIONS.flatMap((version) =>
        Object.entries(FAULTS).flatMap(([framing, faults]) =>
          faults.map((fault) => ({ status, version, framing, fault, shape })),
        ),
      ),
    ),
  );

// The rules, written independently of the client.

const isReadable = ({ fault, framing, version }: Row): boolean =>
  fault === 'whole' && (framing === 'length' || (framing === 'chunks' && version === '1.1'));

/** If the client waited for a body that did not come, and did not find the framing wrong first. */
const isLost = ({ fault, framing, version }: Row): boolean =>
  ['cut at the body', 'cut after a byte', 'cut at the last byte', 'reset', 'stalled'].includes(fault) &&
  (framing === 'length' || (framing === 'chunks' && version === '1.1'));

/** If no byte of the body arrives, only the content type shows who speaks. */
const isFront = ({ fault, shape: [type, , isFront] }: Row): boolean =>
  isFront && (fault !== 'cut at the body' || (type !== undefined && !type.includes('json')));

function afterLogin(row: Row): string {
  const { status } = row;
  if ([400, 401, 403].includes(status)) return isFront(row) ? 'ARRAY_UNREACHABLE, nothing' : 'LOGIN_REFUSED, refusal';
  return status === 429 || status === 503 ? 'ARRAY_BUSY, nothing' : 'LOGIN_UNKNOWN, suspect';
}

function afterLogout(row: Row): string {
  const { status } = row;
  if (status === 401 || status === 403) return isFront(row) ? 'ARRAY_UNREACHABLE, CLOSING' : 'CLOSED, CLOSED';
  if (status === 429 || status >= 500) return 'ARRAY_BUSY, CLOSING';
  return isReadable(row) ? 'ANSWER_INVALID, STUCK' : 'ARRAY_UNREACHABLE, CLOSING';
}

function afterCall(row: Row): string {
  const { status } = row;
  if (status === 401 || status === 403) return isFront(row) ? 'ARRAY_UNREACHABLE, same session' : 'FORBIDDEN, relogin';
  const isReturned = isReadable(row) || status === 429 || status >= 500;
  return `${isReturned ? status : isLost(row) ? 'ARRAY_UNREACHABLE' : 'ANSWER_INVALID'}, same session`;
}

// The server.

/** Sends the response for the row that the request's token names. */
const sendRow =
  (rows: readonly Row[]): Script =>
  (socket, text) => {
    const row = rows[Number(/^(?:api-token|x-auth-token): row-(\d+)/m.exec(text)?.[1])];
    if (row === undefined) throw new Error('no such row');
    const { head, body } = written(row);
    const half = head + body.slice(0, body.length / 2);
    const act: Readonly<Record<string, () => void>> = {
      'cut at the body': () => socket.end(head),
      'cut after a byte': () => socket.end(head + body.slice(0, body.search(/[<{]/) + 1)),
      'cut at the last byte': () => socket.end((head + body).slice(0, -1)),
      closed: () => socket.end(head + body),
      reset: () => socket.write(half, () => socket.destroy()),
      stalled: () => socket.write(half, () => setTimeout(() => socket.destroy(), STALLED_MS)),
      'extra bytes': () => socket.write(`${head}${body}HTTP/1.1 200 OK\r\n`),
    };
    (act[row.fault] ?? (() => socket.write(head + body)))();
  };

function written({ status, version, framing, fault, shape: [type, text] }: Row): { head: string; body: string } {
  const isChunked = framing === 'chunks' || framing === 'both';
  const bytes = fault === 'too long' ? 2 ** 20 + 1 : text.length;
  const size = fault === 'bad size' ? '0x1' : bytes.toString(16);
  const headers = [
    ...(['length', 'both', 'content coding'].includes(framing) ? [`Content-Length: ${bytes}`] : []),
    ...(fault === 'two lengths' ? ['Content-Length: 3'] : []),
    ...(isChunked ? ['Transfer-Encoding: chunked'] : []),
    ...(framing === 'transfer coding' ? ['Transfer-Encoding: gzip'] : []),
    ...(framing === 'content coding' ? ['Content-Encoding: gzip'] : []),
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
  ];
  const trailer = fault === 'bad trailer' ? 'Content-Length: 3\r\n' : '';
  const body = isChunked ? `${size}\r\n${text}\r\n0\r\n${trailer}\r\n` : text;
  return { head: [`HTTP/${version} ${status} Whatever`, ...headers, '', ''].join('\r\n'), body };
}

// What happens.

/** No row ends by a limit of time, however busy the machine is. */
const BUDGET = { connectTimeoutMs: 60_000, firstByteTimeoutMs: 60_000, timeoutMs: 60_000 };
const codeOf = (error: unknown): string => known(error).code;

/** Tries every row at `array`, with a token that names the row. Returns the rows whose outcome differs from `expected`. */
async function differing(
  rows: readonly Row[],
  expected: (row: Row) => string,
  tryOne: (array: FlashBlade, token: string) => Promise<string>,
): Promise<string[]> {
  const array = arrayAt(await startServer(sendRow(rows)));
  const wrong: string[] = [];
  const tryRow = async (row: Row): Promise<void> => {
    const outcome = await tryOne(array, `row-${rows.indexOf(row)}`);
    if (outcome !== expected(row)) wrong.push(`${JSON.stringify(row)}: ${outcome} instead of ${expected(row)}`);
  };
  const isStalled = ({ fault }: Row): boolean => fault === 'stalled';
  await mapLimit(
    rows.filter((row) => !isStalled(row)),
    16,
    tryRow,
  );
  // These spend their time waiting.
  await mapLimit(rows.filter(isStalled), 150, tryRow);
  return wrong;
}

it('the outcome of a login is the same for every way in which its body can be read or not', async () => {
  const rows = rowsOf([400, 401, 403]);
  const wrong = await differing(rows, afterLogin, async (array, token) => {
    const w = world();
    w.ports.flashblade.login = () => loginWithHttpInfo(array, apiToken(token), BUDGET);
    const code = await open(w).then(() => 'opened', codeOf);
    const left = [...w.store.items.values()].map(({ kind }) => kind);
    return `${code}, ${left.join() || 'nothing'}`;
  });
  expect(wrong).toEqual([]);
  expect(rows.length).toBeGreaterThan(900);
});

it('the outcome of a logout is the same for every way in which its body can be read or not', async () => {
  const wrong = await differing(rowsOf([401, 403]), afterLogout, async (array, token) => {
    const w = await opened();
    const session = { array, authToken: authToken(token), username: 'pureuser' };
    w.ports.flashblade.logout = () => logoutWithHttpInfo(session, BUDGET);
    const outcome = await closeSession(w.ports, 'job-1', w.deadline()).then((result) => result.outcome, codeOf);
    return `${outcome}, ${w.lease('job-1')?.state}`;
  });
  expect(wrong).toEqual([]);
});

it('a call in a session logs in again after a refusal by the array, and only then', async () => {
  const wrong = await differing(rowsOf([401, 403]), afterCall, async (array, token) => {
    const w = await opened();
    const session = { array, authToken: authToken(token), username: 'pureuser' };
    w.ports.flashblade.request = (_, sent) => request(session, sent, BUDGET);
    const use = withLease(w.ports, 'job-1', (by) => by.request({ method: 'GET', path: '/api/2.4/arrays' }));
    const status = await use.then((response) => response.status, codeOf);
    return `${status}, ${w.calls.includes('login') ? 'relogin' : 'same session'}`;
  });
  expect(wrong).toEqual([]);
});
