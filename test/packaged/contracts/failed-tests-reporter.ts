/** Prints the names of the failed tests, by project, as one line of JSON. */
import type { Reporter, TestModule } from 'vitest/node';

export default class FailedTestsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const failed: Record<string, string[]> = {};
    for (const module of modules) {
      const names = [...module.children.allTests('failed')].map(({ name }) => name);
      // A file that cannot be loaded is an error, not a failed test.
      if (module.errors().length > 0) throw new Error(`${module.moduleId} cannot be loaded`);
      failed[module.project.name] = [...(failed[module.project.name] ?? []), ...names];
    }
    process.stdout.write(`${JSON.stringify(failed)}\n`);
  }
}
