/** The licence texts of what is in the bundles, as one text: whoever passes the bundles on must pass these on, too. */
import { type BundledPackage, legalTextsOf } from './packages.ts';

/** Licences that ask for no text to go with the code. */
export const WITHOUT_TEXT: readonly string[] = ['MIT-0', '0BSD', 'Unlicense', 'CC0-1.0'];

const LINE = '='.repeat(100);

/**
 * Each text once, under the packages that it is of. Throws at a package whose licence must go with it and that brings no text.
 */
export async function licenceTexts(packages: readonly BundledPackage[]): Promise<string> {
  const users = new Map<string, string[]>();
  for (const one of packages) {
    const texts = await legalTextsOf(one);
    if (texts.length === 0 && !WITHOUT_TEXT.includes(one.licence)) {
      throw new Error(`${one.name} ${one.version} (${one.licence}) brings no licence text, which must go with it`);
    }
    const text =
      texts.length === 0 ? 'No text needs to go with it.' : texts.map(([, body]) => body.trim()).join('\n\n');
    users.set(text, [...(users.get(text) ?? []), `${one.name} ${one.version} (${one.licence})`]);
  }
  const parts = [...users].map(([text, names]) => [...names, '', text].join('\n'));
  return `${['What the functions of flashblade-sessions have of others, and its licences', ...parts].join(`\n\n${LINE}\n\n`)}\n`;
}
