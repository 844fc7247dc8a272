/** Filling the code cache over a change of terms: what a former term began is nothing to the turns of this one. */
import { describe, expect, it } from 'vitest';
import { createCodeCache } from '../../src/adapters/docker/code-cache.ts';
import { createFence } from '../../src/controllers/fence.ts';

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
      idleMs: 1_000,
      mayAct: () => {
        fence.mayAct();
      },
    });
    const ensure = () => cache.ensure('d', 'p', 'image');
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
