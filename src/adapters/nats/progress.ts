/** How far this process has settled one stream. Outlives connections, and the server's own record of it. */

export interface Progress {
  /** Name and birth of the stream, as in the position of its messages. */
  readonly stream: string;
  /** Everything up to this number. */
  settled(): number;
  settle(sequence: number): void;
}

export const createProgress = (stream: string, settled: number): Progress => {
  let last = settled;
  return {
    stream,
    settled: () => last,
    settle: (sequence) => {
      last = Math.max(last, sequence);
    },
  };
};
