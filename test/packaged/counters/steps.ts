/** The round trips of each function when it is warm. The steps of one round are sent together. */
import type { OperationName } from './operations.ts';
import type { Rounds } from './rounds.ts';

const INTENT = ['GenerateDataKey', 'GetItem refusal', 'PutItem lease OPENING', 'UpdateItem array'];
export const OPEN: Rounds = [INTENT, ['POST /api/login'], ['PutItem lease OPEN']];
export const HOLD: Rounds = [['GetItem lease'], ['Decrypt']];
export const CLOSE: Rounds = [
  ['GetItem lease'],
  ['Decrypt', 'PutItem lease CLOSING'],
  ['POST /api/logout'],
  ['PutItem lease CLOSED', 'UpdateItem array'],
];

export const ROUNDS: Readonly<Record<OperationName, Rounds>> = {
  login: OPEN,
  logout: CLOSE,
  'call-array': [...HOLD, ['GET /api/2.15/arrays']],
  renew: [
    ['GetItem lease'],
    ...HOLD,
    ['GET /api/api_version'],
    ['GET /api/2.26/arrays'],
    ['GetItem lease'],
    ['PutItem lease OPEN'],
  ],
  'session-events, a request': [INTENT, ['GetItem owner', 'POST /api/login'], ['PutItem lease OPEN'], ['PutEvents']],
  'session-events, a release': [...CLOSE, ['PutEvents']],
  'sweep-sessions, one lease': [['Query'], ...CLOSE],
  'check-fleet, one array': [
    ['Query'],
    ['GET /api/api_version'],
    ...OPEN,
    ...HOLD,
    ['GET /api/2.26/arrays'],
    ['GET /api/2.26/admins/api-tokens'],
    ['GET /api/2.26/sessions'],
    ...CLOSE,
  ],
};
