/** The baseline of a cold start: it does nothing. JavaScript, because Lambda's runtime client loads it. */
export const handler = async () => null;
