/** The handler that is 1.0: it does nothing. Loaded as Lambda loads a bundle, so it is JavaScript. */
export const handler = async () => null;
