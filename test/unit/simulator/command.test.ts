import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../simulator/certificates.ts';
import { parseCommand } from '../../../simulator/command.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** Runs the script in its own process. */
function run(...args: string[]) {
  const child = spawn(process.execPath, ['scripts/simulator.ts', ...args]);
  cleanUps.push(() => child.kill('SIGKILL'));
  let text = '';
  const changed = new Set<() => void>();
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      for (const check of changed) check();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  /** The first group of the pattern, once the script has printed it. */
  const printed = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = () => {
        const found = pattern.exec(text);
        if (found !== null) resolve(found[1] ?? found[0]);
      };
      changed.add(check);
      check();
      void ended.then((code) => reject(new Error(`ended with ${code}: ${text}`)));
    });
  return { child, ended, printed, all: () => text };
}

const post = (url: string, ca: string, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', ca, headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    sent.on('error', reject).end();
  });

describe('npm run simulator', () => {
  it('the command serves until SIGTERM, prints requests and sessions without tokens, and leaves no file', async () => {
    const script = run('--idle-timeout', '5m', '--fault', '{"kind":"answer","status":503,"path":"/api/logout"}');
    const url = await script.printed(/at (https:\S+)/);
    const caFile = await script.printed(/CA file +(\S+)/);
    const apiToken = await script.printed(/API token +(T-\S+)/);
    await script.printed(/Ctrl-C/);
    const ca = readFileSync(caFile, 'utf8');
    expect(await post(`${url}/api/login`, ca, { 'api-token': apiToken })).toBe(200);
    await script.printed(/POST \/api\/login {2}api-token \*{4} {2}→ 200/);
    expect(await post(`${url}/api/logout`, ca, { 'x-auth-token': 'x' })).toBe(503);
    await script.printed(/POST \/api\/logout {2}x-auth-token \*{4} {2}→ 503 {2}fault: answer/);
    script.child.stdin.write('s\n');
    await script.printed(/1 live session\n {2}pureuser from 127\.0\.0\.1/);
    script.child.kill('SIGUSR2');
    await script.printed(/1 live session.*1 live session/s);
    script.child.kill('SIGTERM');
    expect(await script.ended).toBe(0);
    expect(existsSync(caFile)).toBe(false);
    expect(script.all().split(apiToken)).toHaveLength(2);
  });

  it('the command accepts an API token, which it does not print, and a certificate from files', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'simulator-test-'));
    cleanUps.push(() => rmSync(directory, { recursive: true }));
    const issued = await selfSigned();
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    writeFileSync(cert, issued.certificate);
    writeFileSync(key, issued.key);
    const script = run('--api-token', 'T-given', '--username', 'tester', '--certificate', cert, '--private-key', key);
    const url = await script.printed(/at (https:\S+)/);
    expect(await script.printed(/fingerprint +(\w+)/)).toBe(issued.fingerprint);
    expect(await post(`${url}/api/login`, issued.certificate, { 'api-token': 'T-given' })).toBe(200);
    script.child.kill('SIGINT');
    expect(await script.ended).toBe(0);
    expect(script.all()).not.toContain('T-given');
  });

  it('the command prints its usage and exits with 2 if an argument is invalid', async () => {
    const script = run('--port', '70000');
    expect(await script.ended).toBe(2);
    expect(script.all()).toMatch(/^--port must be a number from 0 to 65535\n.*--idle-timeout/s);
  });
});

describe('the arguments', () => {
  it('the arguments become options of a simulator', () => {
    const args =
      '--port 8443 --host ::1 --name fb7 --username u --api-token T-1 --rest-versions 1.0,1.8.1 --idle-timeout 30m';
    expect(parseCommand([...args.split(' '), '--self-signed'])).toEqual({
      options: {
        port: 8443,
        host: '::1',
        name: 'fb7',
        users: [{ username: 'u', apiToken: 'T-1' }],
        versions: ['1.0', '1.8.1'],
        idleTimeoutMs: 1_800_000,
        certificate: 'self-signed',
      },
      files: undefined,
      faults: [],
      madeApiToken: undefined,
    });
    expect(parseCommand(['--idle-timeout', '0'])).toMatchObject({ options: { idleTimeoutMs: 0 } });
    expect(parseCommand([])).toMatchObject({ madeApiToken: expect.stringMatching(/^T-/) });
  });

  it.each([
    { args: ['--port', 'x'], rule: '--port must be a number from 0 to 65535' },
    { args: ['--rest-versions', '1.0,two'], rule: '--rest-versions must be a comma-separated list of REST versions' },
    { args: ['--idle-timeout', '30'], rule: '--idle-timeout must be a whole number with the unit s, m or h' },
    { args: ['--certificate', 'f'], rule: '--certificate and --private-key must be used together' },
    {
      args: ['--certificate', 'f', '--private-key', 'g', '--self-signed'],
      rule: '--self-signed and --certificate cannot be combined',
    },
    { args: ['--api-token', 'T-secret value'], rule: '--api-token must contain only visible ASCII characters' },
    { args: ['--username', ''], rule: '--username must contain only visible ASCII characters' },
    { args: ['--fault', '{"kind":"unknown"}'], rule: '--fault must be a JSON object whose kind is one of refuse,' },
    { args: ['--fault', '{'], rule: '--fault must be a JSON object' },
    { args: ['T-secret'], rule: 'unexpected argument; options start with --' },
    { args: ['--unknown'], rule: '--unknown' },
  ])('invalid arguments are refused with their rule: $args', ({ args, rule }) => {
    expect(() => parseCommand(args)).toThrow(rule);
    expect(() => parseCommand(args)).not.toThrow('secret');
  });
});
