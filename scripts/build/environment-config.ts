/**
 * Replaces the SDK's configuration loader in the bundles, so that settings come only from the environment and from defaults. Lambda has
 * no profile files, and looking for them would make the SDK create two errors for each of about forty settings.
 */

type Setting<Value> = {
  /** Returns undefined if the variable is not set. Throws for an invalid value, which `loadConfig` then ignores. */
  readonly environmentVariableSelector: (env: NodeJS.ProcessEnv, options: object) => Value | undefined;
  readonly default: Value | (() => Value | Promise<Value>);
};

/** Returns a function that reads the setting and caches the first value. If computing the default fails, the next call tries again. */
export function loadConfig<Value>(setting: Setting<Value>, options: object = {}): () => Promise<Value> {
  let found: { readonly value: Value } | undefined;
  return async () => {
    found ??= { value: fromEnvironment(setting, options) ?? (await defaultOf(setting)) };
    return found.value;
  };
}

function fromEnvironment<Value>({ environmentVariableSelector }: Setting<Value>, options: object): Value | undefined {
  try {
    return environmentVariableSelector(process.env, options);
  } catch {
    return undefined;
  }
}

const defaultOf = <Value>({ default: value }: Setting<Value>): Value | Promise<Value> =>
  typeof value === 'function' ? (value as () => Value | Promise<Value>)() : value;
