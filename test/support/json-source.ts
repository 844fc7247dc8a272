/** Compact JSON texts of objects, as fast-check makes them: with numbers and keys that a program in JavaScript would change. */
import fc from 'fast-check';

const NUMBERS: readonly string[] = [
  '0',
  '-0',
  '-0.0',
  '10.0',
  '1e5',
  '1E+5',
  '1e400',
  '5e-324',
  '0.1000',
  '1098765432109876543',
  '-9223372036854775808',
  '18446744073709551616',
  '123456789012345678901234567890.123456789',
];
const KEYS: readonly string[] = [
  'a',
  '',
  '0',
  '10',
  '2',
  '-1',
  '1.0',
  '__proto__',
  'constructor',
  'ü€',
  '<<',
  'toJSON',
];

const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/);

/**
 * `forYaml`: without what a text in YAML has to write in another way. `forStores`: without text that is mended on its way into
 * a store, and without keys that a store refuses.
 */
export const jsonSource = ({ forYaml = false, forStores = false } = {}): fc.Arbitrary<string> => {
  const string = fc
    .string({ unit: forYaml ? 'grapheme-ascii' : 'grapheme', maxLength: 12 })
    .map((text) => JSON.stringify(text));
  const key = fc
    .oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 6 }))
    .filter((name) => !forStores || !/^\$|\0|^toJSON$/.test(name));
  const { object } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.oneof(fc.constantFrom(...NUMBERS), digits, string, fc.constantFrom('true', 'false', 'null', '[]', '{}')),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    object: fc
      .uniqueArray(fc.tuple(key, tie('value')), { selector: ([name]) => name, maxLength: 6 })
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
  }));
  return object;
};
