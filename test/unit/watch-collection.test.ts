/** A change stream that ends: of a server that has them it is taken up again at once, whatever the error is called. */
import { MongoServerError, type Collection } from 'mongodb';
import { expect, it } from 'vitest';
import { watchCollection } from '../../src/adapters/mongo/watch-collection.ts';

const lost = new MongoServerError({
  message: 'the resume point may no longer be in the oplog',
  code: 286,
  errorLabels: ['NonResumableChangeStreamError'],
});

it('is opened anew after its history was lost, and says that something may have been missed', async () => {
  const stop = new AbortController();
  const states: boolean[] = [];
  let opened = 0;
  const stream = () => {
    opened += 1;
    let looks = 0;
    return {
      closed: false,
      close: () => Promise.resolve(),
      tryNext: () => {
        looks += 1;
        return opened === 1 && looks > 1 ? Promise.reject(lost) : Promise.resolve(null);
      },
    };
  };
  watchCollection({ watch: stream } as unknown as Collection, stop.signal, {
    onEvent: () => undefined,
    onState: (works) => states.push(works),
  });
  // Where it is taken for a server without change streams, that is looked at again after a minute.
  await expect.poll(() => states, { timeout: 30_000 }).toEqual([true, false, true]);
  stop.abort();
});
