/** Work that several may give up: told at once to who waits, and to the engine as long as it has not answered. */

/**
 * Runs `work` with a signal that aborts with any of these, and never again once the work is done: the engine's client would take
 * the connection away that was made.
 */
export const whileBegun = async <T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const own = new AbortController();
  const abort = (): void => {
    own.abort();
  };
  for (const signal of signals) signal.addEventListener('abort', abort);
  if (signals.some(({ aborted }) => aborted)) abort();
  try {
    return await work(own.signal);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  }
};
