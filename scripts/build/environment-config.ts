/**
 * Stands in for the SDK's own reading of its settings inside the bundles: a setting is what the environment says, and else its default.
 * Lambda has no profile in a home directory; for each of some forty settings, the SDK would make two errors on the way past it.
 */

type Setting<Value> = {
  /** Undefined if the environment does not say. Throws if it makes no sense, which counts as not said. */
  readonly environmentVariableSelector: (env: NodeJS.ProcessEnv, options: object) => Value | undefined;
  readonly default: Value | (() => Value | Promise<Value>);
};

/** Gives the setting, always as it was when it was first asked for. Rejects if its default does; then it is asked again. */
export function loadConfig<Value>(setting: Setting<Value>, options: object = {}): () => Promise<Value> {
  let found: { readonly value: Value } | undefined;
  return async () => {
    found ??= { value: said(setting, options) ?? (await defaultOf(setting)) };
    return found.value;
  };
}

function said<Value>({ environmentVariableSelector }: Setting<Value>, options: object): Value | undefined {
  try {
    return environmentVariableSelector(process.env, options);
  } catch {
    return undefined;
  }
}

const defaultOf = <Value>({ default: value }: Setting<Value>): Value | Promise<Value> =>
  typeof value === 'function' ? (value as () => Value | Promise<Value>)() : value;
