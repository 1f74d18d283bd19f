/** A program that sends hostile inputs over the wire: `<seed> <inputs of each kind>`. Prints the outcome as JSON. */
import { tryWire } from './wire.ts';

const [seed = 1, count = 40] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(await tryWire(seed, count, true)));
