/** Which ids anybody wishes, for those who remove what nobody does. Reads only: it never makes a store that is not there. */
import type { Commit } from '../domain/recorded.ts';

export interface WishedRead {
  /** That both databases carry, asked before and after the documents were read. */
  readonly installId: string;
  /** Of bots and of schedules. */
  readonly ids: ReadonlySet<string>;
}

export interface WishedIds {
  /**
   * All of them, or an error.
   * @throws DroverError STORE_UNAVAILABLE when any part could not be read; GC_REFUSED when it is no store of drover's
   */
  read(): Promise<WishedRead>;
  /** The log of one bot: whether it is done with is folded from it. @throws DroverError STORE_UNAVAILABLE, STORE_CORRUPT */
  log(stream: string): Promise<readonly Commit[]>;
  close(): Promise<void>;
}
