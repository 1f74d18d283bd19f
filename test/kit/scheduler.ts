/** Replaces the keywords in a schedule's input the way EventBridge Scheduler does. */
const OCCURRENCE = {
  'schedule-arn': 'arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly',
  'scheduled-time': '2026-11-24T01:00:00Z',
};

/** The input that the `attempt`th attempt to deliver one occurrence sends. Only the execution id and the attempt number differ. */
export function scheduledInput(input: string, attempt = 1): object {
  const keywords = { ...OCCURRENCE, 'execution-id': `d32c5kddcf5bb8c${attempt}`, 'attempt-number': String(attempt) };
  return JSON.parse(
    Object.entries(keywords).reduce((text, [name, value]) => text.replaceAll(`<aws.scheduler.${name}>`, value), input),
  );
}
