/** Where and with what it was measured. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { VERSION } from '../../lib/flashblade/http/request.ts';

const GIB = 1024 ** 3;

/** Names and what they are, for the header of a report. `load`: the machine's one-minute average, before the first round. */
export function machine(): Readonly<Record<string, string>> {
  const [cpu] = cpus();
  return {
    machine: `${availableParallelism()} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / GIB)} GiB`,
    system: `${type()} ${release()}`,
    node: `${process.version}, OpenSSL ${process.versions.openssl}, undici ${process.versions['undici']} inside and ${versionOf('undici')} beside`,
    library: VERSION,
    load: loadavg()[0]?.toFixed(2) ?? '',
  };
}

function versionOf(name: string): string {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'));
  return version;
}
