import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ask, Cancelled, readPipe } from '../../../scripts/secret/prompt.ts';
import { fakeTerminal } from './terminal.ts';

const hidden = async (keys: string) => {
  const terminal = fakeTerminal(['Token: ', keys]);
  const given = await ask(terminal, 'Token: ', { hidden: true });
  return { given, shown: terminal.output.text(), rawModes: terminal.input.rawModes };
};

describe('a hidden input', () => {
  test.each([
    ['is read but not shown', 'T-secret\r', 'T-secret'],
    ['can be pasted with a line break', 'T-secret\r\n', 'T-secret'],
    ['can be pasted with surrounding spaces', '  T-secret \n', 'T-secret'],
    ['ends at its line break, even if more text is pasted', 'T-secret\nyes\n', 'T-secret'],
    ['can be corrected with the backspace key', 'T-sex\u007fcrett\bX\u007f\r', 'T-secret'],
    ['can be deleted back to its start, and no further', 'ab\u007f\u007f\u007fT-secret\r', 'T-secret'],
    ['can be cleared with Ctrl-U', 'wrong\u0015T-secret\r', 'T-secret'],
    ['is not changed by arrow keys', 'T-se\u001b[Dcr\u001bOAet\u001b[3~\r', 'T-secret'],
    ['can be empty', '\r', ''],
  ])('%s', async (_, keys, given) => {
    expect(await hidden(keys)).toEqual({ given, shown: 'Token: \n', rawModes: [true, false] });
  });

  test('can arrive one key at a time', async () => {
    const terminal = fakeTerminal();
    const answer = ask(terminal, 'Token: ', { hidden: true });
    for (const key of 'T-secret\r') terminal.input.push(key);
    expect(await answer).toBe('T-secret');
  });

  test('would be visible if the terminal echoed it (negative control)', async () => {
    const terminal = fakeTerminal(['Token: ', 'T-secret\r']);
    const deaf = { ...terminal, input: Object.assign(terminal.input, { setRawMode: () => undefined }) };
    await ask(deaf, 'Token: ', { hidden: true });
    expect(terminal.output.text()).toContain('T-secret');
  });
});

test('a visible input is shown while the user types and corrects it', async () => {
  const terminal = fakeTerminal(['Host: ', 'fb12\u007f\r']);
  expect(await ask(terminal, 'Host: ')).toBe('fb1');
  expect(terminal.output.text()).toBe('Host: fb12\b \b\n');
});

describe('a question is cancelled, and the terminal echoes input again,', () => {
  test.each([
    ['on Ctrl-C', 'T-sec\u0003ret\r', 130],
    ['on Ctrl-D', '\u0004', 1],
    ['on Ctrl-D after some text', 'T-sec\u0004ret\r', 1],
  ])('%s', async (_, keys, exitCode) => {
    const terminal = fakeTerminal(['Token: ', keys]);
    const given = ask(terminal, 'Token: ', { hidden: true });
    await expect(given).rejects.toMatchObject({ exitCode });
    await expect(given).rejects.toBeInstanceOf(Cancelled);
    expect(terminal.input.rawModes).toEqual([true, false]);
  });

  test('when the input ends', async () => {
    const terminal = fakeTerminal();
    const given = ask(terminal, 'Token: ', { hidden: true });
    terminal.input.push(null);
    await expect(given).rejects.toMatchObject({ exitCode: 1 });
    expect(terminal.input.rawModes).toEqual([true, false]);
    await expect(ask(terminal, 'Token: ')).rejects.toMatchObject({ exitCode: 1 });
  });

  test('when a signal arrives, before the question or while it waits', async () => {
    for (const early of [true, false]) {
      const terminal = fakeTerminal();
      const abort = new AbortController();
      if (early) abort.abort();
      const given = ask(terminal, 'Token: ', { hidden: true, signal: abort.signal });
      abort.abort();
      await expect(given).rejects.toMatchObject({ exitCode: 130 });
      expect(terminal.input.rawModes).toEqual([true, false]);
      expect(terminal.input.listenerCount('data')).toBe(0);
    }
  });
});

describe('a pipe', () => {
  const { signal } = new AbortController();

  test('is read to its end, even if it arrives in pieces', async () => {
    expect(await readPipe(Readable.from(['T-sec', Buffer.from('ret\n')]), signal)).toBe('T-secret');
    expect(await readPipe(Readable.from([]), signal)).toBe('');
  });

  test('that does not end is closed', async () => {
    const endless = new Readable({ read: () => void endless.push('x'.repeat(16_384)) });
    await expect(readPipe(endless, signal)).rejects.toThrow('too long for an API token');
    expect(endless.destroyed).toBe(true);
  });

  test('is cancelled when a signal arrives', async () => {
    const abort = new AbortController();
    const given = readPipe(new PassThrough(), abort.signal);
    abort.abort();
    await expect(given).rejects.toMatchObject({ exitCode: 130 });
  });
});
