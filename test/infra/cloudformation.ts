/** CloudFormation's own opinion of a template. */
import { CelEngine, TemplateFile } from '@aws/cloudformation-validate';

/** What CloudFormation would refuse. The report's own `status` says OK whatever it found. */
export const errorsIn = (path: string): string[] => {
  const engine = new CelEngine();
  try {
    return engine
      .validateStandard(new TemplateFile(path))
      .diagnostics.filter(({ severity }) => severity === 'FATAL' || severity === 'ERROR')
      .map(({ ruleId, message }) => `${ruleId} ${message}`);
  } finally {
    engine.free();
  }
};
