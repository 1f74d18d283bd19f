/** Joins the license texts that must accompany the bundles. */
import { type BundledPackage, legalTextsOf } from './packages.ts';

/** Licenses that do not require their text to accompany the code. */
export const WITHOUT_TEXT: readonly string[] = ['MIT-0', '0BSD', 'Unlicense', 'CC0-1.0'];

const LINE = '='.repeat(100);

/**
 * Lists each text once, below the names of the packages that use it. Throws if a package lacks a license text that its license requires.
 */
export async function licenseTexts(packages: readonly BundledPackage[]): Promise<string> {
  const users = new Map<string, string[]>();
  for (const one of packages) {
    const texts = await legalTextsOf(one);
    if (texts.length === 0 && !WITHOUT_TEXT.includes(one.license)) {
      throw new Error(`${one.name} ${one.version} (${one.license}) has no license text, but its license requires one`);
    }
    const text =
      texts.length === 0
        ? 'This license does not require its text to be included.'
        : texts.map(([, body]) => body.trim()).join('\n\n');
    users.set(text, [...(users.get(text) ?? []), `${one.name} ${one.version} (${one.license})`]);
  }
  const parts = [...users].map(([text, names]) => [...names, '', text].join('\n'));
  return `${['Third-party packages in the flashblade-sessions functions, and their licenses', ...parts].join(`\n\n${LINE}\n\n`)}\n`;
}
