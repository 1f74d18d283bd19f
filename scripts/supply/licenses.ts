/** The license texts of what is in the bundles, as one text: they must accompany the bundles. */
import { type BundledPackage, legalTextsOf } from './packages.ts';

/** Licenses that ask for no text to go with the code. */
export const WITHOUT_TEXT: readonly string[] = ['MIT-0', '0BSD', 'Unlicense', 'CC0-1.0'];

const LINE = '='.repeat(100);

/**
 * Each text once, under the packages that it is of. Throws at a package whose license must go with it and that brings no text.
 */
export async function licenseTexts(packages: readonly BundledPackage[]): Promise<string> {
  const users = new Map<string, string[]>();
  for (const one of packages) {
    const texts = await legalTextsOf(one);
    if (texts.length === 0 && !WITHOUT_TEXT.includes(one.license)) {
      throw new Error(`${one.name} ${one.version} (${one.license}) brings no license text, which must go with it`);
    }
    const text =
      texts.length === 0 ? 'No text needs to go with it.' : texts.map(([, body]) => body.trim()).join('\n\n');
    users.set(text, [...(users.get(text) ?? []), `${one.name} ${one.version} (${one.license})`]);
  }
  const parts = [...users].map(([text, names]) => [...names, '', text].join('\n'));
  return `${['What the functions of flashblade-sessions have of others, and its licenses', ...parts].join(`\n\n${LINE}\n\n`)}\n`;
}
