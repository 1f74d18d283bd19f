/** Started by a test as a process: one login with a deadline (arguments: array, milliseconds until then); prints its error. */

import { FlashBladeError } from '../../../lib/core/errors.ts';
import { apiToken } from '../../../lib/core/model.ts';
import { login } from '../../../lib/flashblade/client.ts';

const [array = '', limitMs] = process.argv.slice(2);
const outcome = await login(JSON.parse(array), apiToken('T-secret'), { deadline: Date.now() + Number(limitMs) }).catch(
  (error: unknown) => error,
);
process.stdout.write(
  JSON.stringify(outcome instanceof FlashBladeError ? { code: outcome.code, facts: outcome.facts } : String(outcome)),
);
