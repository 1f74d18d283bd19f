/**
 * Stands in for `@aws-sdk/middleware-endpoint-discovery` inside the bundles. DynamoDB's client discovers endpoints only where that
 * is turned on, and brings a cache for it.
 */
export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
  environmentVariableSelector: () => undefined,
  configFileSelector: () => undefined,
  default: undefined,
};

export const resolveEndpointDiscoveryConfig = <Config extends object>(config: Config) =>
  Object.assign(config, { endpointDiscoveryEnabled: async () => false, isClientEndpointDiscoveryEnabled: false });
