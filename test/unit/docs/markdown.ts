/** Reads what can be checked from a Markdown document: links, anchors, blocks of code and commands. */
import GithubSlugger from 'github-slugger';
import { lexer, type Token, type Tokens, walkTokens } from 'marked';

export type Link = { readonly line: number; readonly href: string; readonly isImage: boolean };
export type Block = { readonly line: number; readonly info: string; readonly code: string };

export type Document = {
  readonly links: readonly Link[];
  /** As GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
  readonly blocks: readonly Block[];
  readonly quoted: readonly { readonly line: number; readonly code: string }[];
};

/** Tokens and everything in them, in the order of the text. */
function all(tokens: Token[]): Token[] {
  const found: Token[] = [];
  void walkTokens(tokens, (token) => void found.push(token));
  return found;
}

/** The text that a reader sees. */
const textOf = ({ tokens = [] }: Tokens.Heading): string =>
  all(tokens)
    .filter((token) => !('tokens' in token) && token.type !== 'html')
    .map((token) => (token as Tokens.Text).text)
    .join('');

export function parseDocument(text: string): Document {
  const slugger = new GithubSlugger();
  const links: Link[] = [];
  const anchors = new Set<string>();
  const blocks: Block[] = [];
  const quoted: { line: number; code: string }[] = [];
  let start = 1;
  for (const top of lexer(text)) {
    let from = 0;
    for (const token of all([top])) {
      // The tokens follow the text, so each is searched after the beginning of the last.
      const at = top.raw.indexOf(token.raw, from);
      if (at >= 0) from = at;
      const line = start + top.raw.slice(0, from).split('\n').length - 1;
      if (token.type === 'heading') anchors.add(slugger.slug(textOf(token as Tokens.Heading)));
      if (token.type === 'link' || token.type === 'image') {
        links.push({ line, href: (token as Tokens.Link).href, isImage: token.type === 'image' });
      }
      if (token.type === 'html') {
        for (const [, name = '', value = ''] of token.raw.matchAll(/\b(href|src|id|name)="([^"]*)"/g)) {
          if (name === 'id' || name === 'name') anchors.add(value);
          else links.push({ line, href: value, isImage: name === 'src' });
        }
      }
      if (token.type === 'code') {
        const { lang = '', text: code } = token as Tokens.Code;
        blocks.push({ line, info: lang, code });
      }
      if (token.type === 'codespan') quoted.push({ line, code: (token as Tokens.Codespan).text });
    }
    start += top.raw.split('\n').length - 1;
  }
  return { links, anchors, blocks, quoted };
}

export type Command = { readonly line: number; readonly words: readonly string[] };

const SHELL_TOKEN = new RegExp(
  [
    /'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|\\(?<escaped>[^\n])/,
    /(?<blank>\\\n|[ \t]+|(?<=^|[\s;|&()])#[^\n]*)|(?<separator>&&|\|\||[;|&()\n])|(?<plain>.)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);
const REDIRECTION = /^\d?[<>]/;

/** The simple commands of a shell script, split into words. Comments, redirections and assignments before a command are left out. */
export function shellCommands(script: string): Command[] {
  const commands: Command[] = [];
  let words: string[] = [];
  let word: string | undefined;
  let line = 1;
  let startLine = 1;
  const endWord = () => {
    if (word !== undefined && !(words.length === 0 && /^\w+=/.test(word))) {
      if (words.length === 0) startLine = line;
      words.push(word);
    }
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    const kept = words.filter((one, n) => !REDIRECTION.test(one) && !/^\d?[<>]+$/.test(words[n - 1] ?? ''));
    if (kept.length > 0) commands.push({ line: startLine, words: kept });
    words = [];
  };
  for (const { 0: token, groups = {} } of script.matchAll(SHELL_TOKEN)) {
    const { single, double, escaped, blank, separator, plain } = groups;
    if (blank !== undefined) endWord();
    else if (separator !== undefined) endCommand();
    else word = (word ?? '') + (single ?? double ?? escaped ?? plain);
    line += token.split('\n').length - 1;
  }
  endCommand();
  return commands;
}
