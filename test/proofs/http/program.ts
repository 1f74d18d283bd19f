/** A program that tries `answers` or `requests`: `<which> <seed> <how many>`; prints what went wrong as JSON. */
import { tryAnswers } from './try-answers.ts';
import { tryRequests } from './try-requests.ts';

const [which, seed = '1', count = '500'] = process.argv.slice(2);
const tried = which === 'answers' ? tryAnswers : tryRequests;
const { wrong } = await tried(Number(seed), Number(count), true);
process.stdout.write(JSON.stringify(wrong));
