/** Runs tests so that Stryker, which does not know vitest 5, judges mutants by them rightly. */
import { TestRunner, type TestRunnerConfig, test } from 'vitest';

export default class Judge extends TestRunner {
  /**
   * Stryker names the tests that a mutant needs as `suite test`, vitest calls them `suite > test`: none of those in a suite would run,
   * and their mutants would seem to survive.
   */
  constructor(config: TestRunnerConfig) {
    const { testNamePattern } = config;
    if (testNamePattern) config.testNamePattern = new RegExp(testNamePattern.source.replaceAll(' ', '(?: > | )'));
    super(config);
  }

  /** A file that does not load has no tests, and Stryker would see none fail. */
  override async importFile(path: string, source: 'collect' | 'setup'): Promise<unknown> {
    try {
      return await super.importFile(path, source);
    } catch (error) {
      if (source === 'setup') throw error;
      return test('it loads', () => {
        throw error;
      });
    }
  }
}
