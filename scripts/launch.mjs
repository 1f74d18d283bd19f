/**
 * Runs a script of this folder on Node.js 24: `node scripts/launch.mjs start --help`.
 *
 * It is plain JavaScript because it runs on whichever Node.js started npm. That one need not be new enough for the scripts, and
 * npm before 11.6 does not link the one that `npm ci` installs for Linux.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const scripts = dirname(fileURLToPath(import.meta.url));
const modules = join(scripts, '../node_modules');
const { arch, argv, env, execPath, platform, version } = process;

/** Paths of programs that can run the scripts, the best first. */
function nodes() {
  const installed = join(modules, `node-${platform}-${arch}/bin/node`);
  const found = existsSync(installed) ? [installed] : [];
  return Number.parseInt(version.slice(1), 10) < NEEDED ? found : [...found, execPath];
}

/** What keeps the scripts from running, and what to do about it; undefined if nothing does. */
function problem() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(scripts, '../package.json'), 'utf8'));
  const missing = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !existsSync(join(modules, name)),
  );
  if (missing.some((name) => name in dependencies)) return 'The packages are not installed. Run npm ci first.';
  if (missing.length > 0) {
    return 'Development packages are missing: NODE_ENV=production or omit=dev left them out. Run npm ci --include=dev.';
  }
  return nodes().length > 0 ? undefined : noNode('was not found');
}

function noNode(what) {
  const isSupplied = platform === 'linux' && (arch === 'x64' || arch === 'arm64');
  const supplied = isSupplied
    ? `The one that npm ci installs ${what}: run npm ci --include=optional, or install Node.js ${NEEDED} yourself.`
    : `npm ci installs it for Linux on x64 and arm64 only: install it from https://nodejs.org.`;
  return `Node.js ${NEEDED} or newer is needed; this is ${version} on ${platform} ${arch}. ${supplied}`;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

/** Runs the script with the first program that starts: a Node.js built for another C library does not. */
function run([node, ...others], [name, ...args]) {
  // npm starts scripts in the project's folder. Paths that people type begin where they stand.
  const cwd = env.INIT_CWD !== undefined && existsSync(env.INIT_CWD) ? env.INIT_CWD : process.cwd();
  const path = [dirname(node), env.PATH].filter(Boolean).join(delimiter);
  const script = join(scripts, `${name}.ts`);
  const child = spawn(node, [script, ...args], { cwd, env: { ...env, PATH: path }, stdio: 'inherit' });
  const forward = (signal) => void child.kill(signal);
  const onTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  // A terminal sends these to the child itself.
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, onTerminal ? () => undefined : forward);
  for (const signal of ['SIGTERM', 'SIGUSR2']) process.on(signal, forward);
  child.once('error', ({ code }) => {
    if (others.length > 0) run(others, [name, ...args]);
    else fail(noNode(`does not start (${code})`));
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exitCode = code;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

const found = problem();
if (found === undefined) run(nodes(), argv.slice(2));
else fail(found);
