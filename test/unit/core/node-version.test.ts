import { describe, expect, it } from 'vitest';
import { checkNode } from '../../../lib/core/node-version.ts';

describe('the version of Node.js', () => {
  it.each(['22.12.0', '22.13.1', '23.0.0', '24.21.0', '100.0.0'])('%s is new enough', (version) => {
    expect(checkNode(version)).toBeUndefined();
  });

  it.each(['22.11.9', '22.0.0', '22.2.0', '20.20.2', '18.0.0', '9.12.0'])('%s is too old', (version) => {
    expect(() => checkNode(version)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`this is Node.js ${version}.`),
      }),
    );
  });
});
