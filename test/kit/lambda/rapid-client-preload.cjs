/**
 * Replaces the native client in aws-lambda-ric. The `rapid-client.node` addon takes minutes to compile and only calls the Runtime API
 * over HTTP, so this file implements its three methods with node:http. Loaded with `--require`. The runtime client is unchanged.
 */
const http = require('node:http');
const Module = require('node:module');

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

/** The addon posts synchronously, so `next` must wait until the last response is sent. */
let posted = Promise.resolve();

/** Each request reports the process's CPU time. A measurement from outside would miss threads that have ended. */
const cpuUs = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** @returns {Promise<{ headers: http.IncomingHttpHeaders, bodyJson: string }>} */
const send = (method, path, headers, body) =>
  new Promise((resolve, reject) => {
    const request = http.request(`${api}/${path}`, { method, headers, agent }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ headers: response.headers, bodyJson: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.on('error', reject);
    const finish = () => {
      request.setHeader('process-cpu-us', cpuUs());
      request.end(body);
    };
    // Finish as late as possible, because CPU time after this point is not included.
    request.on('socket', (socket) => (socket.connecting ? socket.once('connect', finish) : finish()));
  });

const post = (path, headers, body) => {
  posted = send('POST', path, { 'content-type': 'application/json', ...headers }, body).then(() => undefined);
};

const client = {
  next: async () => {
    await posted;
    return send('GET', 'next', {});
  },
  done: (id, body) => post(`${id}/response`, {}, body),
  error: (id, body, xrayBody) =>
    post(`${id}/error`, { 'lambda-runtime-function-xray-error-cause': xrayBody.replace(/[^\x20-\x7e]/g, '?') }, body),
};

const load = Module._load;
Module._load = (request, ...rest) => (request === './rapid-client.node' ? client : load(request, ...rest));
