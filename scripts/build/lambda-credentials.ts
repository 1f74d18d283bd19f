/**
 * Stands in for `@aws-sdk/credential-provider-node` inside the bundles. Lambda hands credentials over in the environment
 * and in no other way, so the providers for files, SSO, processes and instance metadata are code that only costs start-up time.
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
