import { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';
import { afterEach, expect, test, vi } from 'vitest';
import { createScreen } from '../../../scripts/start/screen.ts';

const ESCAPE = String.fromCharCode(27);

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A stream that records its text, as a terminal or as a pipe, and a clock that moves by 5 ms at every read. */
function screenOn(kind: 'terminal' | 'pipe') {
  vi.stubEnv('FORCE_COLOR', undefined);
  vi.stubEnv('NO_COLOR', undefined);
  const written: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      written.push(chunk.toString());
      done();
    },
  });
  // Ignores the environment of the tests: in CI, Node treats every terminal as one without color.
  const getColorDepth = () =>
    WriteStream.prototype.getColorDepth({ TERM: 'xterm-256color', NO_COLOR: process.env['NO_COLOR'] });
  if (kind === 'terminal') Object.assign(stream, { isTTY: true, getColorDepth });
  let time = 0;
  const now = () => {
    time += 5;
    return time;
  };
  return { ...createScreen(stream, now), stream, text: () => written.join('') };
}

test('a step prints its title at the start, then its duration, its calls and its details at the end', async () => {
  const { step, text } = screenOn('pipe');
  const counts = [
    { aws: 10, array: 1 },
    { aws: 13, array: 1 },
  ];
  const result = await step(
    'a step',
    async (say) => {
      say('first\nsecond');
      expect(text()).toBe('a step'.padEnd(56));
      return 'result';
    },
    async () => counts.shift() ?? { aws: 0, array: 0 },
  );
  expect(result).toBe('result');
  expect(text()).toBe(`${'a step'.padEnd(56)}        5     3       0\n   first\n   second\n`);
});

test('a failed step prints that it failed, and its details so far', async () => {
  const { step, text } = screenOn('pipe');
  const failing = step('a step', async (say) => {
    say('detail');
    throw new Error('reason');
  });
  await expect(failing).rejects.toThrow('reason');
  expect(text()).toBe(`${'a step'.padEnd(56)}   failed\n   detail\n`);
});

test('a line that is printed during a step gets its own line, and the title is repeated after it', async () => {
  const { step, line, text } = screenOn('pipe');
  await step('a step', async () => line('a signal'));
  expect(text()).toBe(`${'a step'.padEnd(56)}\na signal\n${'a step'.padEnd(56)}        5\n`);
});

test('control characters from an array do not reach the terminal', () => {
  const { line, text } = screenOn('pipe');
  line(`fb1${ESCAPE}[2J\u009b\u202e\r!`);
  expect(text()).toBe('fb1 [2J   !\n');
});

test('a terminal gets color', () => {
  const { line, text } = screenOn('terminal');
  line('done', 'green');
  expect(text()).toBe(`${ESCAPE}[32mdone${ESCAPE}[39m\n`);
});

test('a pipe gets no color', () => {
  const { line, text } = screenOn('pipe');
  line('done', 'green');
  expect(text()).toBe('done\n');
});

test('a pipe gets color if FORCE_COLOR is set', () => {
  const { line, text } = screenOn('pipe');
  vi.stubEnv('FORCE_COLOR', '1');
  line('done', 'green');
  expect(text()).toBe(`${ESCAPE}[32mdone${ESCAPE}[39m\n`);
});

test('a terminal gets no color if NO_COLOR is set', () => {
  const { line, text } = screenOn('terminal');
  vi.stubEnv('NO_COLOR', '1');
  line('done', 'green');
  expect(text()).toBe('done\n');
});

test('a broken stream causes no error', async () => {
  const { line, stream } = screenOn('pipe');
  stream.destroy(new Error('EPIPE'));
  await new Promise((resolve) => stream.once('close', resolve));
  expect(() => line('text')).not.toThrow();
});
