/** Filling the code cache over a change of terms: what a former term began is nothing to the turns of this one. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createCodeCache } from '../../src/adapters/docker/code-cache.ts';
import { createLane } from '../../src/adapters/docker/lanes.ts';
import { createFence } from '../../src/controllers/fence.ts';

interface Made {
  readonly image: string;
  end(): void;
}

/** An engine that makes containers and lets the test end them. */
const fillingEngine = (isThere: () => boolean) => {
  const made: Made[] = [];
  const docker = {
    createContainer: ({ Image }: { Image: string }) => {
      let end: () => void = () => undefined;
      const ended = new Promise<{ StatusCode: number }>((resolve) => {
        end = () => {
          resolve({ StatusCode: 0 });
        };
      });
      made.push({ image: Image, end });
      return Promise.resolve({
        infoArchive: () =>
          isThere() ? Promise.resolve({}) : Promise.reject(Object.assign(new Error(), { statusCode: 404 })),
        putArchive: (tar: NodeJS.ReadableStream) =>
          new Promise<void>((resolve) => {
            tar.resume().on('end', resolve);
          }),
        start: () => Promise.resolve(),
        wait: () => ended,
        logs: () => Promise.resolve(Readable.from([])),
        remove: () => Promise.resolve(),
      });
    },
  };
  const cache = createCodeCache({
    docker: docker as never,
    install: 'i',
    filler: 'bot',
    archives: { openCode: () => Promise.resolve({ size: 1, content: Readable.from([Buffer.from('x')]) }) } as never,
    image: 'of-the-operator',
    pull: () => Promise.resolve(),
    lane: createLane({ name: 'fill', width: 2, deadlineMs: 60_000 }),
    idleMs: 10_000,
    mayAct: () => undefined,
  });
  return { cache, made };
};

describe('filling the code cache', () => {
  it('case E10: goes on in a bounded number of containers at once', async () => {
    const { cache, made } = fillingEngine(() => false);
    const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((digest) => cache.ensure(digest, digest)));
    await expect.poll(() => made.length).toBe(2);
    for (let ended = 0; ended < 5; ended += 1) {
      await expect.poll(() => made.length).toBe(Math.min(5, ended + 2));
      made[ended]?.end();
    }
    await all;
  });
  it('case E7: uses the image of the operator, and brings again what a bot found to be damaged', async () => {
    const { cache, made } = fillingEngine(() => true);
    await cache.ensure('a', 'a');
    await cache.ensure('a', 'a');
    expect(made).toHaveLength(1);
    cache.forget('a');
    const again = cache.ensure('a', 'a');
    await expect.poll(() => made.length).toBe(2);
    made[1]?.end();
    await again;
    expect(made.map(({ image }) => image)).toEqual(['of-the-operator', 'of-the-operator']);
  });
});

describe('the code cache', () => {
  it('is filled anew by a turn of this term that waited for one of the former', async () => {
    let epoch = 1;
    const fence = createFence({ role: 'bot', epoch: () => epoch } as never);
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    let made = 0;
    const docker = {
      createContainer: async () => {
        made += 1;
        const isFirst = made === 1;
        await gate;
        // The first has to fetch the archive; when the second looks, it is there.
        const infoArchive = () =>
          isFirst ? Promise.reject(Object.assign(new Error(), { statusCode: 404 })) : Promise.resolve({});
        return { id: 'x', infoArchive, remove: () => Promise.resolve() };
      },
    };
    const cache = createCodeCache({
      docker: docker as never,
      install: 'i',
      filler: 'bot',
      archives: { openCode: () => Promise.resolve({}) } as never,
      image: 'image',
      pull: () => Promise.resolve(),
      lane: createLane({ name: 'fill', width: 2, deadlineMs: 60_000 }),
      idleMs: 1_000,
      mayAct: () => {
        fence.mayAct();
      },
    });
    const ensure = () => cache.ensure('d', 'p');
    const former = fence.inTerm(1, ensure);
    former.catch(() => undefined);
    epoch = 3;
    const now = fence.inTerm(3, ensure);
    go();
    await expect(former).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await now;
    expect(made).toBe(2);
  });
});
