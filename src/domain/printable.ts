/** Text of bots, documents and senders on its way to a terminal: nothing in it may break a line, move a cursor, or hide what is there. */

/** Control characters, the two separators that are line breaks, and what turns the direction of a text. */
// eslint-disable-next-line no-control-regex -- control characters are exactly what goes
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

/** Each such character becomes a space. */
export const printable = (text: string): string => text.replace(DANGEROUS, ' ');

/** All texts in a value, and all names of its members. */
export const printableAll = (value: unknown): unknown => {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(printableAll);
  // An object with a prototype of its own is no plain data, e.g. a number that is kept as its text.
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [printable(key), printableAll(member)]));
};

/** Colours and weights as drover itself prints them. */
// eslint-disable-next-line no-control-regex -- the escape character is what a colour begins with
const OURS = /\u001b\[(?:0|1|2|22|3[0-9]|9[0-7])m/g;
// eslint-disable-next-line no-control-regex -- as above; line breaks and tabs belong to an output of several lines
const LEFT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

const escaped = (char: string): string => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/**
 * A whole output for a terminal: our own colours and line breaks stay, every other character of that kind is written as its
 * escape in JSON, so that JSON stays the same JSON.
 */
export const forTerminal = (text: string): string => {
  const colours = [...text.matchAll(OURS)];
  let at = 0;
  let out = '';
  for (const { 0: colour, index } of colours) {
    out += text.slice(at, index).replace(LEFT, escaped) + colour;
    at = index + colour.length;
  }
  return out + text.slice(at).replace(LEFT, escaped);
};
