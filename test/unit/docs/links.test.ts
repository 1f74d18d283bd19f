/** All Markdown documents: their links, commands and examples work. Planted documents show that each check can fail. */
import { describe, expect, it } from 'vitest';
import {
  addressFaults,
  documentCommandFaults,
  linkFaults,
  orphans,
  type Project,
  syntaxFaults,
  theProject,
  typeScriptFaults,
} from './check-documents.ts';
import { parseDocument, shellCommands } from './markdown.ts';

const project = theProject();

/** A project of planted documents, with the files of the real one. */
const planted = (documents: Record<string, string>): Project => ({
  documents,
  files: [...Object.keys(documents), 'lib/index.ts', 'docs/picture.svg', 'bench/README.md'],
});

const fenced = (info: string, code: string): string => `# A\n\n\`\`\`${info}\n${code}\n\`\`\`\n`;

describe('a relative link', () => {
  it('leads to a tracked file and to a heading of it, in every document', () => {
    expect(Object.keys(project.documents).length).toBeGreaterThan(8);
    expect(linkFaults(project)).toEqual([]);
  });

  it.each([
    ['[x](gone.md)', 'gone.md: there is no such file'],
    ['[x](docs/Picture.svg)', 'docs/Picture.svg: there is no such file'],
    ['![x](docs/gone.svg)', 'docs/gone.svg: there is no such file'],
    ['![x](docs)', 'docs: there is no such file'],
    ['[x](../outside.md)', '../outside.md: there is no such file'],
    ['[x](/docs/picture.svg)', '/docs/picture.svg: a link must be relative to its document'],
    ['[x](#gone)', '#gone: there is no such heading'],
    ['[x](b.md#gone)', 'b.md#gone: there is no such heading'],
    ['[x](docs#a)', 'docs#a: there is no such file'],
    ['[x](lib/index.ts#L3)', 'lib/index.ts#L3: only documents have anchors'],
    ['[x][ref]\n\n[ref]: gone.md', 'gone.md: there is no such file'],
    ['<a href="gone.md">x</a>', 'gone.md: there is no such file'],
    ['<img src="gone.png">', 'gone.png: there is no such file'],
    ['| a |\n| --- |\n| [x](gone.md) |', 'gone.md: there is no such file'],
    ['- a\n  - [x](gone.md)', 'gone.md: there is no such file'],
  ])('is refused in %j', (text, fault) => {
    const faults = linkFaults(planted({ 'a.md': `# A\n\n${text}\n`, 'b.md': '# B\n' }));
    expect(faults).toEqual([expect.stringMatching(/^a\.md:\d+ /)]);
    expect(faults[0]?.replace(/^\S+ /, '')).toBe(fault);
  });

  it.each([
    '[x](b.md#b)',
    '[x](b.md#b-1)',
    '[x](#a)',
    '[x](docs/picture.svg)',
    '![x](docs/picture.svg)',
    '[x](docs)',
    '[x](bench/)',
    '`[x](gone.md)`',
    '```text\n[x](gone.md)\n```',
  ])('is accepted in %j', (text) => {
    expect(linkFaults(planted({ 'a.md': `# A\n\n${text}\n`, 'b.md': '# B\n\n## B\n' }))).toEqual([]);
  });

  it('is reported with its line', () => {
    const [fault] = linkFaults(planted({ 'a.md': '# A\n\n- b\n- c\n  d\n- e [x](gone.md)\n' }));
    expect(fault).toMatch(/^a\.md:6 /);
  });
});

it('headings have the anchors that GitHub gives them', () => {
  const text = [
    '# `check-fleet`: what is `checked`?',
    '## An array’s "secret" & more',
    '## *Who* may [do](x.md) what',
    '## Who may do what',
    '## 3. Größe',
    '<a id="own"></a>',
  ].join('\n\n');
  expect([...parseDocument(text).anchors]).toEqual([
    'check-fleet-what-is-checked',
    'an-arrays-secret--more',
    'who-may-do-what',
    'who-may-do-what-1',
    '3-größe',
    'own',
  ]);
});

describe('a link to the world', () => {
  it('is a valid https address, in every document', () => {
    expect(addressFaults(project)).toEqual([]);
  });

  it.each([
    'http://example.com',
    'https://',
    'https://exam ple.com/',
    'https://localhost/x',
    'https://a:b@example.com',
    'htps://x.org',
    'file:///etc',
  ])('is refused if it is %s', (address) => {
    expect(addressFaults(planted({ 'a.md': `[x](<${address}>)\n` }))).toHaveLength(1);
  });

  it.each(['https://example.com/a?b=c#d', 'mailto:security@example.com'])('is accepted if it is %s', (address) => {
    expect(addressFaults(planted({ 'a.md': `[x](${address}) and <${address}>\n` }))).toEqual([]);
  });
});

describe('a document', () => {
  it('can be reached by links from the README', () => {
    expect(orphans(project)).toEqual([]);
  });

  it('is reported as an orphan if only quoted code or another orphan names it', () => {
    const documents = {
      'README.md': '[a](docs/a.md) and `docs/b.md`, [bench](bench)\n',
      'docs/a.md': '[a](a.md#x)\n',
      'docs/b.md': '[c](c.md)\n',
      'docs/c.md': '[b](b.md)\n',
      'docs/archive/d.md': '\n',
      'bench/README.md': '\n',
    };
    expect(orphans(planted(documents))).toEqual(['docs/b.md', 'docs/c.md']);
  });
});

describe('a command', () => {
  it('exists with all its flags, in every document', async () => {
    expect(await documentCommandFaults(project)).toEqual([]);
  });

  it.each([
    ['npm run gone', 'there is no script gone'],
    ['npm gone', 'there is no script gone'],
    ['npm check', 'npm check needs run'],
    ['npm run secret fb1', 'put -- before the arguments'],
    ['npm run secret -- fb1 --gone', 'npm run secret has no --gone'],
    ['npm run secret -- fb1 --keep', 'npm run secret has no --keep'],
    ['npm run secret --dry-run', 'npm takes --dry-run for itself: put -- before it'],
    ['npm start -- --seed 3', 'npm run start has no --seed'],
    ['npm test -- --gone', 'npm run test has no --gone'],
    ['npm ci --gone', 'npm has no --gone'],
    ['npx cowsay hello', 'npx cowsay would fetch a package that is not installed'],
    ['npx npm@10.8.2 run gone', 'there is no script gone'],
    ['npx osls deply', 'osls has no command deply'],
    ['npx osls deploy --stge=prod', 'osls deploy has no --stge'],
    ['npx osls deploy --stage', 'osls deploy --stage needs a value'],
    ['npx osls deploy --param="gone=1"', 'serverless.yml has no parameter gone'],
    ['npm run deploy -- --param="gone=1"', 'serverless.yml has no parameter gone'],
    ['npx osls deploy --param vpcId', '--param needs name=value, and not vpcId'],
    ['npx osls info --verbose prod', 'osls info has no argument prod'],
  ])('is refused in a block and in quoted code: %s', async (command, fault) => {
    const inBlock = planted({ 'a.md': fenced('sh', `echo first\n\nX=1 true && ${command} # comment`) });
    expect(await documentCommandFaults(inBlock)).toEqual([expect.stringMatching(/^a\.md:6 /)]);
    const quoted = await documentCommandFaults(planted({ 'a.md': `# A\n\nRun \`${command}\`.\n` }));
    expect(quoted).toEqual([`a.md:3 ${shellCommands(command)[0]?.words.join(' ')}: ${fault}`]);
  });

  it.each([
    'npm ci && npm start',
    'npm run secret -- fb1 --keep-api-token --ca ca.pem',
    'npm run trust -- <host>',
    'npm run leases -- close --array <array>',
    'npm test -- -t "a repeated login"',
    'npm run mutate -- --mutate lib/leases/states.ts',
    'npm ci --dry-run',
    'npx osls deploy --stage prod --param="vpcId=vpc-1" --param="checkRate=rate(1 hour)"',
    'npx osls remove -s prod',
  ])('is accepted in quoted code: %s', async (command) => {
    expect(await documentCommandFaults(planted({ 'a.md': `\`${command}\`\n` }))).toEqual([]);
  });

  it('is read as a shell would read it', () => {
    const script = `# no command\nA=1 npm run 'a b' -- x"y"\\ z # c\n(cd x && npm ci) | tee > out 2>&1; aws --entries '[{\n}]' \\\n  last\n`;
    expect(shellCommands(script)).toEqual([
      { line: 2, words: ['npm', 'run', 'a b', '--', 'xy z'] },
      { line: 3, words: ['cd', 'x'] },
      { line: 3, words: ['npm', 'ci'] },
      { line: 3, words: ['tee'] },
      { line: 3, words: ['1'] },
      { line: 3, words: ['aws', '--entries', '[{\n}]', 'last'] },
    ]);
  });
});

describe('an example', () => {
  it('of shell or JSON can be parsed, in every document', () => {
    expect(syntaxFaults(project)).toEqual([]);
  });

  it.each([
    ['sh', 'npm run leases -- close <lease id>'],
    ['sh', "echo 'not closed"],
    ['bash', 'if true; then'],
    ['json', '{ "array": "fb1", }'],
    ['json login-request', '{ array: 1 }'],
  ])('is refused as %s: %s', (info, code) => {
    expect(syntaxFaults(planted({ 'a.md': fenced(info, code) }))).toEqual([expect.stringMatching(/^a\.md:3 /)]);
  });

  it("of TypeScript says what it is, and compiles against the library's public types, in every document", () => {
    expect(typeScriptFaults(project)).toEqual([]);
  });

  it('of TypeScript is refused without its kind, with a wrong type and with a name that is not exported', () => {
    const documents = {
      'a.md': fenced('ts', 'const x = 1;'),
      'b.md': fenced('ts example', "import { login } from 'flashblade-sessions';\nawait login('fb1', 'T-1');"),
      'c.md': fenced('ts run', "import { gone } from 'flashblade-sessions';\nconsole.log(gone);"),
      'd.md': fenced('ts example', "import { apiToken } from 'flashblade-sessions';\nconsole.log(apiToken('T-1'));"),
      'e.md': fenced('ts quote', 'no program'),
    };
    expect(typeScriptFaults(planted(documents))).toEqual([
      'a.md:3 ts is none of ts example, ts run, ts quote',
      expect.stringMatching(/^b\.md:3 error TS2345/),
      expect.stringMatching(/^c\.md:3 error TS2305/),
    ]);
  });
});
