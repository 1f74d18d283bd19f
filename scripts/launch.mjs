/**
 * Runs a script from this folder on Node.js 24, for example: `node scripts/launch.mjs start --help`.
 *
 * This file is plain JavaScript because it runs on the Node.js version that started npm. That version may be too old for the scripts.
 * On Linux, `npm ci` installs a newer version, but npm versions before 11.6 do not link it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const scripts = dirname(fileURLToPath(import.meta.url));
const modules = join(scripts, '../node_modules');
const { arch, argv, env, execPath, platform, version } = process;

/** Returns an error message that names what to install, or undefined if all packages are installed. */
function missingPackages() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(scripts, '../package.json'), 'utf8'));
  const isMissing = (name) => !existsSync(join(modules, name));
  if (Object.keys(dependencies).some(isMissing)) return 'The packages are not installed. Run npm ci first.';
  if (Object.keys(devDependencies).some(isMissing)) {
    return 'Development packages are missing, probably because of NODE_ENV=production or omit=dev. Run npm ci --include=dev.';
  }
  if ('esbuild' in devDependencies && isMissing(`@esbuild/${platform}-${arch}`)) {
    return (
      `The packages for ${platform} on ${arch} are missing, because optional packages were omitted or node_modules was copied from ` +
      'another machine. Run npm ci --include=optional.'
    );
  }
}

/** Returns the path to a Node.js binary that can run the scripts, or undefined if none is found. */
function findNode() {
  const installed = join(modules, `node-${platform}-${arch}/bin/node`);
  // A binary that was built for a different C library does not start.
  if (existsSync(installed) && spawnSync(installed, ['--version']).status === 0) return installed;
  return Number.parseInt(version.slice(1), 10) >= NEEDED ? execPath : undefined;
}

/** Returns the directory where the user ran npm, for resolving relative paths. npm runs scripts in the project folder. */
function userDirectory() {
  try {
    accessSync(env.INIT_CWD, constants.X_OK);
    return env.INIT_CWD;
  } catch {
    return process.cwd();
  }
}

function run(node, [name, ...args]) {
  const PATH = [dirname(node), env.PATH].filter(Boolean).join(delimiter);
  const script = join(scripts, `${name}.ts`);
  // Node.js caches compiled code in this directory, which halves the startup time of scripts.
  const NODE_COMPILE_CACHE = env.NODE_COMPILE_CACHE ?? join(scripts, '../node_modules/.cache/node-compile');
  const options = { cwd: userDirectory(), env: { ...env, PATH, NODE_COMPILE_CACHE }, stdio: 'inherit' };
  const child = spawn(node, [script, ...args], options);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  // npm signals only its shell, which does not forward signals. When the shell exits, this process gets a new parent.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 200);
  child.once('exit', (code, signal) => {
    clearInterval(watch);
    if (signal === null) process.exitCode = code;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

const missing = missingPackages();
const node = missing === undefined ? findNode() : undefined;
if (node !== undefined) run(node, argv.slice(2));
else {
  const needed =
    `This project needs Node.js ${NEEDED} or newer, but you are running ${version} on ${platform} ${arch}. ` +
    (platform === 'linux' && (arch === 'x64' || arch === 'arm64')
      ? 'The version that npm ci installs is missing or does not start. Run npm ci again, or install Node.js from https://nodejs.org.'
      : 'Install it from https://nodejs.org, because npm ci provides it only for Linux on x64 and arm64.');
  process.stderr.write(`${missing ?? needed}\n`);
  process.exitCode = 1;
}
