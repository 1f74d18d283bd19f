/**
 * Replaces `@aws-sdk/credential-provider-node` in the bundles. Lambda passes credentials only in the environment, so the providers
 * for files, SSO, processes and instance metadata would only add startup time.
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
