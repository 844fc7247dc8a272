/** The known name that a misspelt one probably means. */
import { distance } from 'fastest-levenshtein';

/** Case, `_` and `-` are how people and programs write the same name differently. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Longer ones are no names of ours, and comparing them is costly. */
const LONGEST = 100;

/**
 * The known name nearest to `name`, when it differs in at most `most(known)` letters; case and separators count for nothing.
 * Undefined when no name is near.
 */
export const nearestName = (
  name: string,
  known: readonly string[],
  most: (known: string) => number = ({ length }) => Math.max(2, Math.floor(length * 0.4)),
): string | undefined => {
  if (name.length > LONGEST) return undefined;
  const written = plain(name);
  if (written === '') return undefined;
  let nearest: { readonly name: string; readonly far: number } | undefined;
  for (const each of known) {
    const far = distance(written, plain(each));
    if (far <= most(each) && far < (nearest?.far ?? Infinity)) nearest = { name: each, far };
  }
  return nearest?.name;
};

/** Near enough that it is a slip and no name of somebody else's: two letters, fewer in a short name, three in a long one. */
export const slipsIn = ({ length }: string): number => (length >= 12 ? 3 : Math.min(2, Math.floor(length / 3)));
