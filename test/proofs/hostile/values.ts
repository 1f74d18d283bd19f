/** Hostile strings, JSON values and JSON documents, built from known tricks. Many contain a token. */
import fc from 'fast-check';

/** Stands for any token that a sender may have put anywhere. No message may contain any eight consecutive characters of it. */
export const CANARY = 'T-c0ffee5e-0dd1-4bad-8abe-7ea5edca11ed';

/** One trick per word. */
const WORDS = [
  '.. ../ /..;/ %2e%2e%2f %252e %2F %5c %00 \\ // /./ ;x=1 ? # & * ** @ : [ ] [::1] [::ffff:127.0.0.2] [fe80::1%25lo]',
  '127.0.0.2 0x7f.2 0177.2 2130706434 localhost fb1.example.com xn-- xn--fb1-8va münchen.example :443 :65536 :0x1bb https://',
  '__proto__ constructor prototype toString hasOwnProperty $(x) {{x}} " \' <a> /api/ /api/2.4/arrays /api/login LOGOUT',
  'api-tokens admins 2.4 1.10 T- 0 -1 900 1e999 0x10 1_000 ١٢ NaN Infinity true null [] {}',
].flatMap((line) => line.split(' '));
const CHARACTERS = [...'\n\0\t\u007f\u001b\u2028\u202e\ufeff\u212a\u017f\uff0f\u3002 ', '\r\n', '\ud800', ''];
const TRICKS = [...WORDS, ...CHARACTERS, CANARY, CANARY, CANARY];

const trick = fc.constantFrom(...TRICKS);
const long = fc.tuple(
  fc.constantFrom('a', '-', '.', '/', ':', '\0', 'é'),
  fc.constantFrom(64, 65, 512, 513, 1024, 1025),
);

/** A string, rarely a harmless one. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  trick,
  fc.array(trick, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('')),
  fc.tuple(fc.string({ unit: 'binary', maxLength: 12 }), trick).map((parts) => parts.join('')),
  long.map(([unit, length]) => unit.repeat(length)),
);

/** An object as JSON.parse creates it: `__proto__` is a field like any other. */
const objectOf = (fields: readonly (readonly [string, unknown])[]): object => {
  const value = {};
  for (const [name, field] of fields) {
    Object.defineProperty(value, name, { value: field, enumerable: true, configurable: true, writable: true });
  }
  return value;
};

const scalar = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(null, true, 0, -0, 0.5, -1, 2 ** 31, 2 ** 53, 1e308, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const entries = (value: fc.Arbitrary<unknown>) => fc.array(fc.tuple(trick, value), { maxLength: 3 }).map(objectOf);

/** A JSON value of any shape. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: entries(fc.oneof(scalar, entries(scalar))) },
);

/** An object whose fields are mostly valid, so that one hostile field does not hide another. */
export function almost(good: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const fields = Object.entries(good).map(([name, arbitrary]) =>
    fc.oneof(
      { weight: 14, arbitrary: arbitrary.map((value) => [[name, value] as const]) },
      { weight: 1, arbitrary: hostileValue.map((value) => [[name, value] as const]) },
      { weight: 1, arbitrary: fc.constant([]) },
    ),
  );
  const more = fc.oneof(
    { weight: 14, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.tuple(trick, hostileValue).map((field) => [field]) },
  );
  const whole = fc.tuple(...fields, more).map((parts) => objectOf(parts.flat()));
  return fc.oneof({ weight: 24, arbitrary: whole }, { weight: 1, arbitrary: hostileValue });
}

const reversed = (text: string): string => [...text].reverse().join('');
const SPOILS: readonly ((json: string) => string)[] = [
  (json) => `\ufeff${json}`,
  (json) => json.slice(0, -1),
  (json) => `${json}${json}`,
  (json) => json.replaceAll('"', "'"),
  (json) => `/* ${CANARY} */ ${json}`,
  (json) => json.replace('{', `{"host":"127.0.0.2","__proto__":{"polluted":"${CANARY}"},`),
  (json) => json.replace(/}$/, `,"array":"fb1","array":"${CANARY}"}`),
  (json) => json.replace(/:[^,}]+/, ':1e999'),
  (json) => json.replace(/:[^,}]+/, ':NaN'),
  (json) => Buffer.from(json, 'utf16le').toString('latin1'),
  (json) => Buffer.from(json, 'latin1').toString('utf8'),
  (json) => Buffer.from(json).toString('base64'),
  (json) => `${'['.repeat(300)}${json}${']'.repeat(300)}`,
  () => `"${CANARY}`,
  reversed,
];

/** JSON text of these values, sometimes corrupted. */
export const jsonText = (values: fc.Arbitrary<unknown>): fc.Arbitrary<string> => {
  const whole = values.map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 4, arbitrary: whole },
    { weight: 1, arbitrary: fc.tuple(whole, fc.constantFrom(...SPOILS)).map(([json, spoil]) => spoil(json)) },
  );
};
