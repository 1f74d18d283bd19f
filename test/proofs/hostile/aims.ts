/** Hosts, responses and paths that try to lead the client to the trap. */
import fc from 'fast-check';
import { hostileText } from './values.ts';
import { ELSEWHERE, NAME } from './world.ts';

const aims = (port: number) =>
  [`//${ELSEWHERE}:${port}`, `//user@${ELSEWHERE}:${port}`, `//${NAME}:${port}@${ELSEWHERE}:${port}`, '//evil.example']
    .flatMap((where) => [`https:${where}/api/login`, `${where}/api/login`, `http:${where}/`])
    .concat(`\\\\${ELSEWHERE}:${port}`, `https:${ELSEWHERE}:${port}`, '/api/2.4/login', 'javascript:1', '');

/** Variants of the array's own host, and other hosts. */
export const hosts = (port: number): fc.Arbitrary<string> => {
  const own = fc.constantFrom(NAME, NAME.toUpperCase(), `${NAME}:${port}`);
  const known = [ELSEWHERE, 'localhost', 'evil.example', `${NAME}.evil.example`, `evil.${NAME}`];
  const others = fc.constantFrom(...known, `[::ffff:${ELSEWHERE}]`);
  const mixed = fc
    .array(fc.oneof(own, others, hostileText), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join(''));
  return fc.oneof(own, others, mixed).map((host) => (host.endsWith(`:${port}`) ? host : `${host}:${port}`));
};

const HEADERS = 'Location Refresh Link Content-Location Host Set-Cookie x-auth-token Upgrade'.split(' ');
const STATUSES = '101 103 200 201 204 300 301 302 303 304 305 307 308 401 407 421 426 429 503'.split(' ').map(Number);
/** Statuses that have no body. */
const BODILESS: ReadonlySet<number> = new Set([101, 103, 204, 304]);

/** Responses that try to redirect the client to another server. */
export function answers(port: number): fc.Arbitrary<string> {
  const aim = fc.constantFrom(...aims(port));
  const value = fc.oneof(
    aim,
    aim.map((url) => `0; url=${url}`),
    aim.map((url) => `<${url}>; rel=preload`),
    hostileText,
  );
  const altSvc = `http/1.1="${ELSEWHERE}:${port}", h2="evil.example:${port}"; ma=9999`;
  const header = fc.oneof(
    fc.tuple(fc.constantFrom(...HEADERS), value),
    fc.constant<[string, string]>(['Alt-Svc', altSvc]),
  );
  const headers = fc.array(header, { maxLength: 4 });
  const body = fc.oneof(
    aim.map((url) => `<meta http-equiv="refresh" content="0;url=${url}">`),
    aim.map((url) => JSON.stringify({ username: url, versions: ['2.4'], location: url })),
    hostileText,
  );
  return fc
    .tuple(fc.constantFrom(...STATUSES), headers, body)
    .map(([code, fields, text]) =>
      [
        `HTTP/1.1 ${code} Whatever`,
        ...fields.map(([key, field]) => `${key}: ${field}`),
        ...(BODILESS.has(code) ? ['', ''] : [`Content-Length: ${Buffer.byteLength(text)}`, '', text]),
      ].join('\r\n'),
    );
}

/** Paths that point to the trap or outside the allowed paths. */
export const paths = (port: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...aims(port)),
    fc
      .array(fc.oneof(fc.constantFrom(...aims(port), '/api/', '2.4'), hostileText), { maxLength: 3 })
      .map((parts) => parts.join('')),
    hostileText.map((text) => `/api/${text}`),
  );
