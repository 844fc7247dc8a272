/** A set of callbacks for hints. A listener that throws harms neither the writer nor the other listeners. */

export interface Listeners<T> {
  /** Returns how to stop. */
  add(listener: (value: T) => void): () => void;
  /** Calls back after the present turn of the event loop's queue, so that the writer's own promise comes first. */
  tell(value: T): void;
}

export const createListeners = <T>(): Listeners<T> => {
  const listeners = new Set<{ readonly call: (value: T) => void }>();
  return {
    add: (call) => {
      const entry = { call };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    tell: (value) => {
      for (const entry of [...listeners]) {
        setImmediate(() => {
          if (!listeners.has(entry)) return;
          try {
            entry.call(value);
          } catch {
            // A hint: what it was about is stored, and the next resync finds it.
          }
        });
      }
    },
  };
};
