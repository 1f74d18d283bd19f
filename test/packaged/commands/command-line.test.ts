/** An API token in the wrong argument is never printed. */
import { describe, expect, test } from 'vitest';
import { commandOr, parsed } from '../../../scripts/command-line.ts';
import { explain } from '../../../scripts/start/failures.ts';

const UUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';
const TOKEN = `T-${UUID}`;
const OPTIONS = { host: { type: 'string' }, json: { type: 'boolean' } } as const;

/** The output of a command with these arguments that ends early. */
function printed(args: readonly string[], given: Parameters<typeof parsed>[2] = {}): string {
  const texts: string[] = [];
  const note = (text: string) => texts.push(text);
  const read = () => void parsed(args, OPTIONS, { env: {}, positionals: true, ...given });
  commandOr({ read, usage: 'usage', say: note, complain: note });
  return texts.join('\n');
}

describe('a misplaced API token', () => {
  test.each([
    [[TOKEN]],
    [['--host', TOKEN]],
    [[`--host=${TOKEN.toLowerCase()}:443`]],
    [['--json', '--', `lease-${TOKEN}`]],
  ])('ends the command and is not printed: %j', (args) => {
    expect(printed(args)).toMatch(/^an argument looks like an API token.*\n\nusage$/);
    expect(printed(args).toLowerCase()).not.toContain(UUID);
  });

  test.each([[[`--${TOKEN}`]], [[`--${UUID}`]], [[`--${TOKEN}=x`]], [[`--no-${TOKEN}`]]])(
    'is masked in the error about an unknown option: %j',
    (args) => {
      expect(printed(args)).toMatch(/^Unknown option '--(no-)?<value>'\n\nusage$/);
      expect(printed(args, { apiTokens: true })).not.toContain(UUID);
    },
  );

  test('is masked in an error that quotes a path or a variable', () => {
    expect(explain(new Error(`ENOENT: no such file or directory, open '/tmp/${TOKEN}'`))).toBe(
      "ENOENT: no such file or directory, open '/tmp/<value>'",
    );
    expect(explain(Object.assign(new Error(TOKEN), { name: TOKEN }))).toBe('<value>: <value>');
  });
});

test('a UUID is a normal argument, because lease ids can be UUIDs', () => {
  expect(parsed(['show', UUID], OPTIONS, { positionals: true, env: {} }).positionals).toEqual(['show', UUID]);
  expect(explain(new Error(`there is no lease ${UUID}`))).toBe(`there is no lease ${UUID}`);
});
