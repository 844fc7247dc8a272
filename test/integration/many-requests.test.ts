/** More requests at once than one pass takes, on a real engine (case E1). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../scripts/until.ts';
import { addRequest } from '../../src/api/add-request.ts';
import { mintId } from '../../src/main.ts';
import { asked, startSpine, type Spine } from '../support/spine.ts';

let spine: Spine;
beforeAll(async () => {
  spine = await startSpine();
});
afterAll(() => spine.end());

const restart = (reason: string) =>
  ({ requestId: mintId(), kind: 'restart', actor: 'ann', reason, at: Date.now() }) as const;
const noneLeft = (id: string): Promise<true> =>
  until(async () => ((await spine.stores.specs.read(id))?.requests.length === 0 ? true : undefined), {
    within: 60_000,
    otherwise: () => `requests are left: ${JSON.stringify(spine.bot(id))}`,
  });

describe('case E1: many requests at once', () => {
  it('case E1: sixty parallel restarts of one bot, stored past the API, are few restarts, and the bot can be disabled', async () => {
    await spine.deploy('many');
    const before = await spine.reaches('many', 'running');
    await Promise.all(
      Array.from({ length: 60 }, (_none, n) => spine.stores.specs.addRequest('many', restart(`r${String(n)}`))),
    );
    await noneLeft('many');
    const after = await spine.reaches('many', 'running', ({ containerId }) => containerId !== before.containerId);
    expect(after.attempt).toBeLessThan(60);
    const taken = spine.told.flatMap(({ botId, event }) =>
      botId === 'many' && event.type === 'RestartRequested' ? [event.requestId, ...(event.also ?? [])] : [],
    );
    // Each of them once.
    expect(taken).toHaveLength(60);
    expect(new Set(taken).size).toBe(60);
    await spine.put('many', spine.document('many', { config: { enabled: false } }));
    await spine.reaches('many', 'stopped');
  });
  it('case E1: a thousand that wait while drover is down are worked off at its start', async () => {
    await spine.deploy('heap');
    await spine.reaches('heap', 'running');
    const { stores } = spine;
    await spine.drover.stop(8_000);
    for (let n = 0; n < 1_000; n += 1) await stores.specs.addRequest('heap', restart(`r${String(n)}`));
    await stores.close();
    const { install, dataDir } = spine;
    spine = await startSpine({ install, dataDir });
    await noneLeft('heap');
    await spine.put('heap', spine.document('heap', { config: { enabled: false } }));
    await spine.reaches('heap', 'stopped');
    await spine.stores.specs.remove('heap', asked('delete'));
    await until(() => (spine.bot('heap')?.state === 'deleted' ? true : undefined), {
      within: 60_000,
      otherwise: () => 'not deleted',
    });
  });
  it('case E1: those that arrive through the API beyond ten equal ones are folded into the one that waits', async () => {
    const stored: string[] = [];
    const specs = {
      read: () =>
        Promise.resolve({
          id: 'a',
          document: {},
          revision: 1,
          requests: stored.map((requestId) => ({ ...restart(''), requestId })),
        }),
      addRequest: (_id: string, { requestId }: { requestId: string }) => {
        stored.push(requestId);
        return Promise.resolve();
      },
    };
    const named: string[] = [];
    for (let n = 0; n < 60; n += 1) named.push(await addRequest(specs, 'a', restart('')));
    expect(stored).toHaveLength(10);
    expect(new Set(named)).toEqual(new Set(stored));
  });
});
