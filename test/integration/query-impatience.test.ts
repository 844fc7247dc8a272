/** Callers who give up at once, many of them: nobody else waits for what was begun for them, and none of it stays (feature F4). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { removeInstall } from '../../scripts/remove-install.ts';
import type { QueryContainer, QueryContainers } from '../../src/ports/query-containers.ts';
import { countContainers } from '../support/container-count.ts';
import { cases } from '../support/full.ts';
import { codeOf, planFor, queryEngine, type Code } from '../support/query-engine.ts';
import { openSocketProxy, type SocketProxy } from '../support/socket-proxy.ts';
import { docker } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const STARTS = 2;
const GIVEN_UP = 24;
const install = newInstall();
let code: Code;
let containers: QueryContainers;
let proxy: SocketProxy;
const plan = (id: string) => planFor(id, code);
const count = async (): Promise<number> => {
  const label = [`drover.install=${install}`, 'drover.role=query'];
  return (await docker.listContainers({ all: true, filters: { label } })).length;
};
const open = (id: string, signal: AbortSignal): Promise<QueryContainer> => containers.open(plan(id), signal);

beforeAll(async () => {
  code = await codeOf({ 'main.js': '', 'query.js': `require('fs').writeFileSync('/query/result.json', '{}')` });
  proxy = await openSocketProxy();
  containers = queryEngine(install, { archives: code.archives, startsInFlight: STARTS, host: proxy.host });
  // The code is in the cache then.
  await (await open('first', AbortSignal.timeout(240_000))).remove();
});
afterAll(async () => {
  await removeInstall(docker, install);
  await proxy.close();
});

it('when its caller gave up, an opening is over once nothing of it is left', async () => {
  const reason = new Error('gave up');
  for (const ms of [0, 60, 250, 20, 120].slice(0, cases(3, 5))) {
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
    await expect.poll(count).toBe(0);
  }
});

it('many who give up leave the queue, and another one does not wait until each has had its turn', async () => {
  const reason = new Error('gave up');
  const abort = new AbortController();
  const counted = await countContainers(install, 'query');
  // Nobody is done before the callers give up, however slow this machine is.
  proxy.stall = /^POST .*\/start/;
  const all = Array.from({ length: GIVEN_UP }, () => open('attacker', abort.signal).catch((thrown: unknown) => thrown));
  // The first ones have their turn, and the others wait for it.
  await expect.poll(() => counted.there()).toBe(STARTS);
  proxy.stall = undefined;
  abort.abort(reason);
  const victim = await open('victim', AbortSignal.timeout(240_000));
  expect(await Promise.all(all)).toEqual(all.map(() => reason));
  await victim.remove();
  await expect.poll(count).toBe(0);
  // All that was made was told, and what became of it.
  await expect.poll(() => counted.there()).toBe(0);
  counted.close();
  // Those whose turn it was, and the one that was waited for: nobody else had a turn.
  expect(counted.made()).toBe(STARTS + 1);
});
