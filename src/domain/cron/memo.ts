/**
 * Remembers what is costly to make and depends on its key alone, up to a number of keys: what was made first goes first.
 * Callers cannot tell it from making anew, except by time.
 */
export const memo = <T>(limit: number, make: (key: string) => T): ((key: string) => T) => {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    const [oldest] = made.keys();
    if (made.size >= limit && oldest !== undefined) made.delete(oldest);
    made.set(key, value);
    return value;
  };
};
