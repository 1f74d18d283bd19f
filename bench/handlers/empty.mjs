/** The baseline for a cold start: a handler that does nothing. This file is JavaScript, because Lambda's runtime client loads it. */
export const handler = async () => null;
