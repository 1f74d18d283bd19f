/**
 * Replaces the SDK's configuration loader in the bundles: a setting comes from the environment, or is its default. Lambda has no
 * profile files. For each of about forty settings, the SDK would create two errors while it looks for them.
 */

type Setting<Value> = {
  /** Undefined if the environment does not set it. Throws for an invalid value, which counts as not set. */
  readonly environmentVariableSelector: (env: NodeJS.ProcessEnv, options: object) => Value | undefined;
  readonly default: Value | (() => Value | Promise<Value>);
};

/** Returns the setting and caches its first value. Rejects if the default rejects; the next call tries again. */
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
