/** Valid responses (RFC 9112) with their meaning, and the same with a few bytes changed. */
import fc from 'fast-check';
import type { Read } from './reads.ts';

const NAMES = ['Server', 'X-Auth-Token', 'content-type', 'Set-Cookie', 'ETag', "x!#$%&'*+-.^_`|~9", 'constructor'];
const visible = fc.constantFrom(...'aZ09!"#(),/:;<=>?@[]{}~\xa0\xff\x80');
const inner = fc.array(fc.oneof({ weight: 5, arbitrary: visible }, fc.constantFrom(' ', '\t')), { maxLength: 12 });
const blanks = fc.constantFrom('', ' ', '  ', '\t', ' \t ');
const value = fc.oneof(
  fc.constant(''),
  fc.tuple(visible, inner, visible).map(([first, middle, last]) => [first, ...middle, last].join('')),
);
const fields = fc.array(fc.record({ name: fc.constantFrom(...NAMES), before: blanks, value, after: blanks }), {
  maxLength: 5,
});
const reason = fc.constantFrom('', ' ', ' OK', ' Not\tat all \xff');
const status = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(200, 403, 503) }, fc.integer({ min: 200, max: 999 }));
const data = (size: { minLength?: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom(...'{"a":1}\r\n\0\xff '), ...size });
const interim = fc.array(
  fc.constantFrom('HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103\r\nLink: </a>\r\nContent-Length: 0\r\n\r\n'),
  { maxLength: 2 },
);
const anyCase = (text: string) => fc.constantFrom(text, text.toLowerCase(), text.toUpperCase());

/** The same body on the wire in two ways, with the fields and the HTTP version that frame it. */
const byLength = fc
  .tuple(data({ maxLength: 40 }), anyCase('Content-Length'), fc.constantFrom('', '0', '00'), fc.constantFrom('0', '1'))
  .map(([text, name, zeros, minor]) => ({
    minor,
    fields: [`${name}: ${zeros}${text.length}`],
    wire: text,
    body: text,
  }));

const chunk = fc
  .tuple(
    data({ minLength: 1, maxLength: 20 }),
    fc.constantFrom('', '0', '000'),
    fc.boolean(),
    fc.constantFrom('', ';a', ';a=b', ';a="b c"'),
  )
  .map(([text, zeros, isUpper, extension]) => {
    const size = text.length.toString(16);
    return { text, wire: `${zeros}${isUpper ? size.toUpperCase() : size}${extension}\r\n${text}\r\n` };
  });
const byChunks = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    fc.constantFrom('0', '000'),
    fc.constantFrom('', 'Expires: 0\r\n', 'a:\r\nb: c\r\n'),
    anyCase('Transfer-Encoding'),
    anyCase('chunked'),
  )
  .map(([chunks, last, trailer, name, coding]) => ({
    minor: '1',
    fields: [`${name}: ${coding}`],
    wire: `${chunks.map(({ wire }) => wire).join('')}${last}\r\n${trailer}\r\n`,
    body: chunks.map(({ text }) => text).join(''),
  }));

/** Any response that a reader must accept. */
export const written = fc
  .record({ interim, status, reason, fields, framing: fc.oneof(byLength, byChunks), at: fc.nat(5) })
  .map(({ interim, status, reason, fields, framing, at }) => {
    const lines = fields.map(({ name, before, value, after }) => `${name}:${before}${value}${after}`);
    const bodiless = status === 204 || status === 304;
    if (!bodiless) lines.splice(at, 0, ...framing.fields);
    const head = [`HTTP/1.${framing.minor} ${status}${reason}`, ...lines].join('\r\n');
    const text = `${interim.join('')}${head}\r\n\r\n${bodiless ? '' : framing.wire}`;
    const means: Read = { status, headers: meaning(lines), body: bodiless ? '' : framing.body };
    return { text, means };
  });

function meaning(lines: readonly string[]): Record<string, string> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^(.*?):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value]);
  }
  return Object.fromEntries([...headers].map(([name, values]) => [name, values.join(', ')]));
}

/** Text that can make two readers disagree about a response. */
const SCRAPS = [
  ...'\r\n\0\t :;,"01aAfF+-_xX\x7f\xff',
  '\r\n',
  '\r\n\r\n',
  'HTTP/1.1 200 OK\r\n',
  '3\r\nabc\r\n',
  '0\r\n\r\n',
  ' 101 ',
];
/** The same, at the end of a line. */
const TAILS = [
  '\r\nContent-Length: 3',
  '\r\nContent-Length: +3',
  '\r\nContent-Length : 3',
  '\r\nTransfer-Encoding: chunked',
  '\r\nTransfer-Encoding: gzip, chunked',
  '\r\nTransfer-Encoding: chunked, identity',
  '\r\nTransfer-Encoding\t: chunked',
  '\r\nConnection: close',
  '\r\nConnection: Upgrade\r\nUpgrade: h2c',
  '\r\n goes: on',
  '\r\nno name',
  ';a="b',
  ';a="\\"',
  ';a=b=c',
  ' ;a',
  ' ',
  'g',
];
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  gone: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 4 })),
  scrap: fc.oneof(fc.constant(''), fc.constantFrom(...SCRAPS)),
});
const tail = fc.record({ line: fc.integer({ min: -4, max: 6 }), scrap: fc.constantFrom(...TAILS) });

/** Responses that are changed in one or two places; some stay valid. */
export const spoilt: fc.Arbitrary<string> = fc
  .tuple(written, fc.array(fc.oneof(edit, tail), { minLength: 1, maxLength: 2 }))
  .map(([{ text }, edits]) =>
    edits.reduce((changed, one) => ('line' in one ? addTail(changed, one) : change(changed, one)), text),
  );

function change(text: string, { at, gone, scrap }: { at: number; gone: number; scrap: string }): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + scrap + text.slice(start + gone);
}

function addTail(text: string, { line, scrap }: { line: number; scrap: string }): string {
  const lines = text.split('\r\n');
  const at = Math.min(Math.max(line < 0 ? lines.length + line : line, 0), lines.length - 1);
  return [...lines.slice(0, at), `${lines[at]}${scrap}`, ...lines.slice(at + 1)].join('\r\n');
}

/** Lengths of the pieces in which a response arrives. */
export const lengths: fc.Arbitrary<number[]> = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 })), {
  minLength: 1,
  maxLength: 8,
});
