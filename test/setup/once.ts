/**
 * Set-up that several projects of one run share. Each project loads its set-up files anew, so what they share is kept in
 * the process; the first one makes it, and the last one takes it down.
 */
interface Shared<T> {
  readonly value: Promise<T>;
  users: number;
}

const shared = globalThis as unknown as Record<symbol, Shared<unknown> | undefined>;

/** Returns what `make` made, and how to give it back. */
export const once = async <T>(
  name: string,
  make: () => Promise<T>,
  end: (value: T) => Promise<void>,
): Promise<{ readonly value: T; release(): Promise<void> }> => {
  const key = Symbol.for(`drover.test.${name}`);
  const entry = (shared[key] ??= { value: make(), users: 0 }) as Shared<T>;
  entry.users += 1;
  const value = await entry.value;
  return {
    value,
    release: async () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      shared[key] = undefined;
      await end(value);
    },
  };
};
