/** Callers who give up at once, many of them: nobody else waits for what was begun for them, and none of it stays (feature F4). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { removeInstall } from '../../scripts/remove-install.ts';
import type { QueryContainer, QueryContainers } from '../../src/ports/query-containers.ts';
import { codeOf, newInstall, planFor, queryEngine, type Code } from '../support/query-engine.ts';
import { docker } from '../support/spine.ts';

const STARTS = 2;
const GIVEN_UP = 24;
const install = newInstall();
let code: Code;
let containers: QueryContainers;
const plan = (id: string) => planFor(id, code);
const count = async (): Promise<number> => {
  const label = [`drover.install=${install}`, 'drover.role=query'];
  return (await docker.listContainers({ all: true, filters: { label } })).length;
};
const open = (id: string, signal: AbortSignal): Promise<QueryContainer> => containers.open(plan(id), signal);

beforeAll(async () => {
  code = await codeOf({ 'main.js': '', 'query.js': `require('fs').writeFileSync('/query/result.json', '{}')` });
  containers = queryEngine(install, { archives: code.archives, startsInFlight: STARTS });
  // The code is in the cache then.
  await (await open('first', AbortSignal.timeout(60_000))).remove();
});
afterAll(() => removeInstall(docker, install));

it('when its caller gave up, an opening is over once nothing of it is left', async () => {
  const reason = new Error('gave up');
  for (const ms of [0, 20, 60, 120, 250]) {
    const abort = new AbortController();
    const opening = open('one', abort.signal);
    setTimeout(() => {
      abort.abort(reason);
    }, ms);
    // On a quick machine the last one may be there already.
    const opened = await opening.catch((thrown: unknown) => {
      expect(thrown).toBe(reason);
    });
    await opened?.remove();
    // What takes longer than callers are kept for goes behind them.
    await expect.poll(count, { interval: 50 }).toBe(0);
  }
});

it('many who give up leave the queue, and another one does not wait until each has had its turn', async () => {
  const reason = new Error('gave up');
  const abort = new AbortController();
  const all = Array.from({ length: GIVEN_UP }, () => open('attacker', abort.signal).catch((thrown: unknown) => thrown));
  let most = 0;
  let over = false;
  const watch = (async () => {
    while (!(over as boolean)) most = Math.max(most, await count());
  })();
  // The first ones have their turn, and the others wait for it.
  await expect.poll(count, { interval: 10 }).toBeGreaterThan(0);
  abort.abort(reason);
  // Some ten times what it takes; were each of them seen off in its turn, it would be half a minute.
  const victim = await open('victim', AbortSignal.timeout(15_000));
  over = true;
  await watch;
  expect(await Promise.all(all)).toEqual(all.map(() => reason));
  // Those whose turn it was, and the one that was waited for: nobody else had a turn.
  expect(most).toBeLessThanOrEqual(STARTS + STARTS + 1);
  await victim.remove();
  await expect.poll(count).toBe(0);
});
