/** Runs `npm run trust`. */
import type { Writable } from 'node:stream';
import { closeConnections } from '../../lib/flashblade/pool.ts';
import { commandOr } from '../command-line.ts';
import { explain } from '../start/failures.ts';
import { type Command, readCommand, USAGE } from './arguments.ts';
import { type LookOptions, look } from './look.ts';
import { refusalOf, reportOf, trustFor } from './report.ts';
import { adviceText, COMPARE, reportText } from './screen.ts';

export type Streams = { readonly output: Writable; readonly errors: Writable };

/** Returns the exit code: 0 on success, 1 if there is no acceptable certificate, 2 for invalid arguments. Never rejects. */
export async function runTrust(args: readonly string[], streams: Streams, options: LookOptions = {}): Promise<number> {
  const say = (text: string) => void streams.output.write(`${text}\n`);
  const complain = (text: string) => void streams.errors.write(`${text}\n`);
  const command = commandOr({ read: () => readCommand(args), usage: USAGE, say, complain });
  if ('exitCode' in command) return command.exitCode;
  try {
    const { text, refusal } = await find(command, options);
    say(text);
    if (refusal !== undefined) complain(refusal);
    return refusal === undefined ? 0 : 1;
  } catch (error) {
    complain(explain(error));
    return 1;
  } finally {
    closeConnections();
  }
}

/** `refusal` is the reason why the functions would refuse the certificate. Throws an Error if there is no certificate. */
async function find({ address, json }: Command, options: LookOptions): Promise<{ text: string; refusal?: string }> {
  const presented = await look(address, options);
  const report = reportOf(address, presented, Date.now());
  const trust = trustFor(presented);
  const refusal = await refusalOf({ name: address.host, ...address, trust });
  const refused = refusal === undefined ? {} : { refusal };
  if (!json) {
    const advice = refusal === undefined ? `\n\n${COMPARE}\n\n${adviceText(report)}` : '';
    return { text: reportText(report) + advice, ...refused };
  }
  const pinned = refusal === undefined && trust.kind === 'fingerprints';
  const field = pinned ? { trust: { fingerprints: trust.fingerprints } } : {};
  return { text: JSON.stringify({ ...report, ...field, ...refused }, null, 2), ...refused };
}
