/**
 * Stryker names the tests that a mutant needs as `suite test`, vitest 5 calls them `suite > test`: without this, none of those in a
 * suite would run, and their mutants would seem to survive.
 */
import { TestRunner, type TestRunnerConfig } from 'vitest';

export default class SpacedNames extends TestRunner {
  constructor(config: TestRunnerConfig) {
    const { testNamePattern } = config;
    if (testNamePattern) config.testNamePattern = new RegExp(testNamePattern.source.replaceAll(' ', '(?: > | )'));
    super(config);
  }
}
