/** Errors as the real adapters throw them, and faults that a hook runs instead of a call. */
import { FlashBladeError } from '../../../lib/core/errors.ts';
import type { Call } from './hook.ts';

export const refused = (): FlashBladeError =>
  new FlashBladeError('LOGIN_REFUSED', 'array refused the API token', {
    status: 401,
    sent: true,
    mayHaveOpened: false,
  });

export const busy = (): FlashBladeError =>
  new FlashBladeError('ARRAY_BUSY', 'array is busy', { status: 503, sent: true, mayHaveOpened: false });

/** `mayHaveOpened`: the request was sent, so it may have taken effect. */
export const unreachable = (mayHaveOpened: boolean): FlashBladeError =>
  new FlashBladeError('ARRAY_UNREACHABLE', 'no answer', { sent: mayHaveOpened, mayHaveOpened });

export const awsDown = (): FlashBladeError => new FlashBladeError('AWS_UNAVAILABLE', 'no answer from AWS');

/** Runs instead of a call. `act` is the call itself. */
export type Fault = (act: () => Promise<unknown>, call: Call) => Promise<unknown>;

type Failure = Error | (() => Error);

/** The call does nothing and fails. */
export const fail =
  (error: Failure): Fault =>
  async () => {
    throw errorOf(error);
  };

/** The call takes effect, but its response is lost. */
export const loseResponse =
  (error: Failure): Fault =>
  async (act) => {
    await act();
    throw errorOf(error);
  };

/** The call does nothing and never ends. */
export const hang: Fault = () => new Promise(() => {});

const errorOf = (error: Failure): Error => (typeof error === 'function' ? error() : error);
