/** A program that tries hostile inputs: `<seed> <inputs per parser>`. Prints the outcome as JSON. */
import { tryInputs } from './inputs.ts';
import { TARGETS } from './targets.ts';

const [seed = 1, count = 500] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(tryInputs(seed, count, TARGETS, true)));
