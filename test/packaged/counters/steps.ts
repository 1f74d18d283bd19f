/** The round trips of opening, holding and closing a session. The steps of one round are sent together. */
import type { Rounds } from './rounds.ts';

export const INTENT = ['GenerateDataKey', 'GetItem refusal', 'PutItem lease OPENING', 'UpdateItem array'];
export const OPEN: Rounds = [INTENT, ['POST /api/login'], ['PutItem lease OPEN']];
export const HOLD: Rounds = [['GetItem lease'], ['Decrypt']];
export const CLOSE: Rounds = [
  ['GetItem lease'],
  ['Decrypt', 'PutItem lease CLOSING'],
  ['POST /api/logout'],
  ['PutItem lease CLOSED', 'UpdateItem array'],
];
