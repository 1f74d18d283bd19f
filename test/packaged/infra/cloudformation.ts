/** Validates a template with CloudFormation's own validator. */
import { CelEngine, TemplateFile } from '@aws/cloudformation-validate';

/** Errors for which CloudFormation would refuse the template. The report's `status` is always OK, whatever it found. */
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
