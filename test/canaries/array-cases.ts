/** An array that repeats the token that it was sent, wherever it can. */
import { ASKING, type Case, newest, open } from './asking.ts';
import { ECHOES } from './echoes.ts';
import { SPELLINGS } from './spellings.ts';

export function arrayCase(asking: keyof typeof ASKING, echo: string, spelling: string): Case {
  const { path, ask } = ASKING[asking];
  return {
    what: `${asking}: the array tells a token ${spelling} in ${echo}`,
    run: async (w, name) => {
      const needsLease = asking === 'logout' || asking === 'call-array';
      if (needsLease) await open(w, name);
      const said = SPELLINGS[spelling]?.(needsLease ? newest(w) : w.apiToken) ?? '';
      await w.array.answering(
        path,
        (opened) => ECHOES[echo]?.(said, opened) ?? '',
        () => ask(w, name),
      );
    },
  };
}
