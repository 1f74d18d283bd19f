/** What a report says about this project and the pact. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from '../build.ts';
import type { Project } from './report.ts';

export function thisProject(): Project {
  const { version } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { version: string };
  return { version, commit: commit() };
}

function commit(): string {
  try {
    if (git('rev-parse', '--show-prefix') !== '') throw new Error('another repository contains this folder');
    const changes = git('status', '--porcelain', '--untracked-files=no');
    return `${git('rev-parse', 'HEAD')}${changes === '' ? '' : ' with uncommitted changes'}`;
  } catch {
    return 'unknown (git reports none)';
  }
}

const git = (...args: string[]): string =>
  execFileSync('git', args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 10_000,
  }).trim();

export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
