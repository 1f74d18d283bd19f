/** Stand-ins answer hundreds of calls at once later than AWS does. Nobody here gives up for that: it would be measured instead. */

const TIMES = 100;

/** Waits of this process for an AWS call are so many times longer from now on. */
export function waitLonger(): void {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(ms * TIMES);
}

/** For clients of the SDK: no time limit of their own, no repetition, and no call that waits for a socket. */
export const PATIENT_CLIENT = {
  maxAttempts: 1,
  requestHandler: { httpAgent: { keepAlive: true, maxSockets: 512 } },
} as const;

/** For the configuration: how long an array is waited for, in milliseconds. */
export const PATIENT_CONFIG = {
  CONNECT_TIMEOUT_MS: '60000',
  FIRST_BYTE_TIMEOUT_MS: '60000',
  ANSWER_TIMEOUT_MS: '120000',
} as const;
