/** The check for calls of the client that no interaction covers. */
import { describe, expect, it } from 'vitest';
import { checkPaths, shippedSources } from '../../../contracts/checks/paths.ts';
import { pact } from './providers.ts';

/** A variable, as a template literal writes it. */
const inTemplate = (name: string): string => `$\{${name}}`;

describe('a call of the client that no interaction covers is found', () => {
  it.each([
    [
      'with its method',
      "exchange(array, { method: 'GET', path: '/api/2.26/quotas' })",
      'lib/new.ts calls /api/{version}/quotas (method: GET)',
    ],
    [
      'if only another method of its path is covered',
      "send({ method: 'DELETE', path: '/api/login' })",
      'calls /api/login (method: DELETE)',
    ],
    [
      'if the source has only its path',
      'const path = "/api/1.12/admins";',
      'calls /api/{version}/admins (method: any)',
    ],
    [
      'if its version is a variable',
      `const path = \`/api/${inTemplate('version')}/file-system-snapshots\`;`,
      'calls /api/{version}/file-system-snapshots',
    ],
    ['if its path is known only at run time', 'send(`/api/2.26/' + '$' + '{name}`)', 'which no interaction covers'],
    ['if its path is outside /api', "const path = '/oauth2/1.0/token';", 'calls /oauth2/1.0/token'],
  ])('%s', (_, source, finding) => {
    const findings = checkPaths(pact, { 'lib/new.ts': source });
    expect(findings).toEqual([expect.stringContaining(finding)]);
    expect(findings[0]).toContain('Add an interaction to contracts/consumer.');
  });

  it('for each string that completes its path', () => {
    const path = `\`/api/${inTemplate('version')}/${inTemplate('name')}\``;
    const source = `function ask(name: string) { send(${path}); }\nask('arrays'); ask('file-systems');`;
    expect(checkPaths(pact, { 'lib/new.ts': source })).toEqual([expect.stringContaining('/file-systems (')]);
    expect(checkPaths(pact, { 'lib/new.ts': `${source} ask(other);` })).toHaveLength(2);
  });

  it('only outside comments', () => {
    const source = "/** As `/api/2.0/x`. */\nconst a = 1; // '/api/2.0/x'\n";
    expect(checkPaths(pact, { 'lib/new.ts': source })).toEqual([]);
  });

  it('if the interaction of an existing call is removed', () => {
    const without = (path: string) => ({
      ...pact,
      interactions: pact.interactions.filter(({ request }) => request?.path !== path),
    });
    for (const path of ['/api/login', '/api/logout', '/api/api_version']) {
      expect(checkPaths(without(path), shippedSources())).toContainEqual(expect.stringContaining(`calls ${path} (`));
    }
  });
});
