/** A function that leaks a token in every way that careless code might. A control for the canaries; never deployed. */
import { inspect } from 'node:util';
import { report } from '../../../../lib/lambda/metrics.ts';

const notSent = (token: string): Headers => new Headers({ 'api-token': `${token}\nx-echo: 1` });

const WAYS: Readonly<Record<string, (token: string) => unknown>> = {
  'an error from Headers': notSent,
  'an error from JSON.parse': (token) => JSON.parse(`{"apiToken":${token}}`),
  'a printed error cause': (token) => {
    try {
      return notSent(token);
    } catch (cause) {
      return process.stderr.write(inspect(new Error('not sent', { cause })));
    }
  },
  'a field of an error': (token) => {
    throw Object.assign(new Error('not sent'), { request: { headers: { 'x-auth-token': token } } });
  },
  'a result': (token) => ({ session: { token } }),
  'a log line': (token) => report({ event: 'LoginFailed', message: `refused: ${token}` }),
  "a metric's dimension": (token) =>
    report({ event: 'ArrayChecked', array: token, message: '', gauges: { ArrayHealthy: 1 } }),
  'an unhandled rejection': (token) => void Promise.reject(new Error(token)),
  'an uncaught exception': (token) =>
    new Promise(() => {
      setImmediate(() => notSent(token));
    }),
  'a warning': (token) => process.emitWarning(`header ${token} is deprecated`),
  'a printed buffer': (token) => console.log(Buffer.from(token)),
};

export const WAY_NAMES = Object.keys(WAYS);

export const handler = async ({ way, token }: { way: string; token: string }): Promise<unknown> => WAYS[way]?.(token);
