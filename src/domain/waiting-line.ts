/** Waiting in a line that its owner serves, from which whoever gives up leaves at once. */

export interface Waiter<P, T> {
  /** What its owner chooses by. */
  readonly place: P;
  /** Its turn has come; the owner has taken it out of the line. */
  take(value: T): void;
}

/** At the end of the line. @throws the signal's reason when it aborts first */
export const waitInLine = <P, T>(line: Waiter<P, T>[], place: P, signal?: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const leave = (): void => {
      line.splice(line.indexOf(waiter), 1);
      reject(signal?.reason as Error);
    };
    const waiter: Waiter<P, T> = {
      place,
      take: (value) => {
        signal?.removeEventListener('abort', leave);
        resolve(value);
      },
    };
    line.push(waiter);
    signal?.addEventListener('abort', leave, { once: true });
  });
