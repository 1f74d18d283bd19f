/** Started by a test as a process: one login with a deadline (argv: array, in how many milliseconds); prints how it failed. */
import { login } from '../../lib/edges/flashblade.ts';
import { FlashBladeError } from '../../lib/ground/errors.ts';
import { apiToken } from '../../lib/ground/model.ts';

const [array = '', limitMs] = process.argv.slice(2);
const outcome = await login(JSON.parse(array), apiToken('T-secret'), { deadline: Date.now() + Number(limitMs) }).catch(
  (error: unknown) => error,
);
process.stdout.write(
  JSON.stringify(outcome instanceof FlashBladeError ? { code: outcome.code, facts: outcome.facts } : String(outcome)),
);
