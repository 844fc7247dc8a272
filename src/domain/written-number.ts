/**
 * Numbers that a double does not keep as they were written, such as 1098765432109876543, 10.0 or 1e5. Users write them, and
 * bots in other languages read them: so they travel as text, in the place of the number.
 */

/** JSON's own form of a number. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** One number as it was written. For calculations of ours there is {@link WrittenNumber.valueOf}. */
export class WrittenNumber {
  /** Valid JSON. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The nearest double. */
  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }

  /** For a printer that knows only doubles, such as that of the log; what reaches a user is printed by `jsonText`. */
  toJSON(): number {
    return this.valueOf();
  }
}

/** A number as a double where that is printed exactly as it is written here; undefined for text that is no number of JSON. */
export const numberOf = (text: string): number | WrittenNumber | undefined => {
  if (!JSON_NUMBER.test(text)) return undefined;
  const value = Number(text);
  return String(value) === text ? value : new WrittenNumber(text);
};
