/** An array that repeats a token, wherever it can. */
import { ASKING, type Case, newest, open } from './asking.ts';
import { ECHOES } from './echoes.ts';
import { SPELLINGS } from './spellings.ts';

/** `repeats`: default the token that it was sent. */
export function arrayCase(asking: keyof typeof ASKING, echo: string, spelling: string, repeats?: 'API token'): Case {
  const { path, ask } = ASKING[asking];
  return {
    what: `${asking}: the array tells ${repeats === undefined ? 'a token' : `its ${repeats}`} ${spelling} in ${echo}`,
    run: async (w, name) => {
      const needsLease = asking === 'logout' || asking === 'call-array';
      if (needsLease) await open(w, name);
      const said = SPELLINGS[spelling]?.(needsLease && repeats === undefined ? newest(w) : w.apiToken) ?? '';
      await w.array.answering(
        path,
        (opened) => ECHOES[echo]?.(said, opened) ?? '',
        () => ask(w, name),
      );
    },
  };
}
