/** Cases with an invalid secret that contains the API token. */
import { ASKING, type Case } from './asking.ts';

const SECRETS: Readonly<Record<string, (token: string, good: object) => string>> = {
  'the token and nothing else': (token) => token,
  'the token as JSON': (token) => JSON.stringify(token),
  'truncated JSON': (token, good) => JSON.stringify({ ...good, apiToken: token }).slice(0, -3),
  'JSON without quotation marks': (token) => `{"apiToken": ${token}}`,
  'JSON truncated inside the token': (token) => `{"apiToken":"${token}`,
  'JSON after the token': (token, good) => `${token} ${JSON.stringify(good)}`,
  'JSON before the token': (token, good) => `${JSON.stringify(good)} ${token}`,
  'a line of YAML': (token) => `apiToken: ${token}\nhost: fb1\n`,
  'a field named like the token': (token, good) => JSON.stringify({ ...good, [token]: 1 }),
  'the token in a list': (token, good) => JSON.stringify({ ...good, apiToken: [token] }),
  'the token in an object': (token, good) => JSON.stringify({ ...good, apiToken: { [token]: token } }),
  'the token as the host': (token, good) => JSON.stringify({ ...good, host: token }),
  'the token in the host': (token, good) => JSON.stringify({ ...good, host: `https://${token}@fb1` }),
  'the token as the CA': (token, good) => JSON.stringify({ ...good, trust: { ca: token } }),
  'the token as a fingerprint': (token, good) => JSON.stringify({ ...good, trust: { fingerprints: [token] } }),
  'the token as the trust': (token, good) => JSON.stringify({ ...good, trust: token }),
  'a line break after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}\n` }),
  'a header after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}\r\nx-echo: ${token}` }),
  'a Latin-1 letter after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}é` }),
  'a letter outside Latin-1 after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}Ā` }),
  'a NUL after the token': (token, good) => JSON.stringify({ ...good, apiToken: `${token}\0` }),
  'the token repeated many times': (token, good) => JSON.stringify({ ...good, apiToken: token.repeat(40) }),
};

export const secretCases = (asking: 'login' | 'session-events' | 'check-fleet'): Case[] =>
  Object.entries(SECRETS).map(([what, textOf]) => ({
    what: `${asking}: the secret is ${what}`,
    run: async (w, name) => {
      const { host, certificate: ca } = w.array;
      w.putSecret(name, textOf(w.apiToken, { host, apiToken: w.apiToken, trust: { ca } }));
      await ASKING[asking].ask(w, name);
    },
  }));
