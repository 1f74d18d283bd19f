/** Responses as plain values, including every known error format. */

export type Headers = Readonly<Record<string, string | readonly string[]>>;
export type Reply = { readonly status: number; readonly headers: Headers; readonly body: string };

/** The headers that a real array adds to every response. */
export const ARRAY_HEADERS: Headers = {
  'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
  expires: '0',
  pragma: 'no-cache',
  server: 'nginx',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'content-security-policy': "frame-ancestors 'none'",
};

export const json = (status: number, value: unknown, headers: Headers = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});

export const empty = (status: number, headers: Headers = {}): Reply => ({ status, headers, body: '' });

/** An error that names the path. Used for failures that occur before the request reaches a resource, such as refused logins. */
export const pathError = (code: number, context: string, message: string): Reply =>
  json(code, { error: [{ code, context, message }] });

export const accessDenied = (status: number, path: string): Reply => pathError(status, path, 'Access Denied');

/** A REST 2 error that names the resource. */
export const resourceError = (context: string | null, message: string): Reply =>
  json(400, { errors: [{ context, message }] });

export const noSuchResource = (name: string): Reply => resourceError(name, 'Resource does not exist.');

/** A REST 1 error that names the invalid part of the body. */
export const invalidBody = (parameter: string): Reply => json(400, { message: `invalid body parameter: ${parameter}` });

export const oauthError = (): Reply =>
  json(401, { error: 'invalid_client', error_description: 'Client authentication failed' });

/** The response to an unknown path under /api. The body is empty. */
export const wrongPath = (): Reply => empty(400);

/** An error page from a web server or proxy. */
export const htmlPage = (status: number, title: string): Reply => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
});
