/** Cases in which an array repeats a token in a response. */
import { ASKING, type Case, newest, open } from './asking.ts';
import { ECHOES } from './echoes.ts';
import { SPELLINGS } from './spellings.ts';

/** `repeats`: the token that the array repeats. Default: the token that it received. */
export function arrayCase(asking: keyof typeof ASKING, echo: string, spelling: string, repeats?: 'API token'): Case {
  const { path, ask } = ASKING[asking];
  return {
    what: `${asking}: the array repeats ${repeats === undefined ? 'a token' : `its ${repeats}`} ${spelling} in ${echo}`,
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
