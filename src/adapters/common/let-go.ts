/**
 * Memory of a large reply on its way: the chunks that went through are garbage outside of the heap, and V8 comes to them late
 * because the heap itself hardly grows. It is asked to look after each few MiB, so that any reply costs a few MiB (feature F8).
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EACH_BYTES = 4 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | undefined;

const collector = (): Collect => {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  return collect;
};

/** Told of the bytes of one reply that went through. */
export const createLetGo = (): ((bytes: number) => void) => {
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < EACH_BYTES) return;
    since = 0;
    collector()({ type: 'minor' });
  };
};
