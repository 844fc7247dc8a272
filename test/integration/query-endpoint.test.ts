/** Where running bots are reached, on a real engine that gives addresses of the dead to the living (fault R40). */
import { text as textOf } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { removeInstall } from '../../scripts/remove-install.ts';
import { createQueryProxy } from '../../src/adapters/http/query-proxy.ts';
import { Cancellation } from '../../src/domain/cancellation.ts';
import { DroverError } from '../../src/domain/errors.ts';
import type { QueryContainers, QueryEndpoint } from '../../src/ports/query-containers.ts';
import { queryEngine, startBox, type Box } from '../support/query-engine.ts';
import { pause } from '../support/pause.ts';
import { createSmallNetwork } from '../support/small-network.ts';
import { openSocketProxy } from '../support/socket-proxy.ts';
import { docker } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const text = async (body: Buffer | NodeJS.ReadableStream): Promise<string> =>
  Buffer.isBuffer(body) ? body.toString() : textOf(body);

const install = newInstall();
const network = `drover-${install}`;
const proxy = createQueryProxy();
const byAddress = queryEngine(install, { reach: 'address' });
const byPort = queryEngine(install, { reach: 'published' });

const looked: QueryEndpoint[] = [];
const endpointOf = async (box: Box, containers: QueryContainers = byAddress): Promise<QueryEndpoint> => {
  const look = await containers.endpointOf(box.ref);
  if (look.kind !== 'endpoint') throw new Error(`it is ${look.kind}`);
  looked.push(look.endpoint);
  return look.endpoint;
};
const kindOf = async (box: Box, containers = byAddress): Promise<string> => (await containers.endpointOf(box.ref)).kind;
/** What the box answers, or the code of why not. */
const said = async (endpoint: QueryEndpoint): Promise<string> => {
  // The endpoint is asked again later.
  const target = proxy.open({ ...endpoint, release: () => undefined });
  try {
    return await text(
      (await target.ask({ path: '/', cancellation: Cancellation.of(AbortSignal.timeout(120_000)) })).body,
    );
  } catch (thrown) {
    return thrown instanceof DroverError ? thrown.code : String(thrown);
  } finally {
    target.close();
  }
};
const answers = (endpoint: QueryEndpoint) => expect.poll(() => said(endpoint), { interval: 200 });

beforeAll(async () => {
  await createSmallNetwork(network);
});
afterEach(async () => {
  for (const endpoint of looked.splice(0)) endpoint.release();
  await removeInstall(docker, install);
});
afterAll(async () => {
  await docker.getNetwork(network).remove();
});

describe('a container', () => {
  it('that runs is reached at its address, paused too; stopped or removed it is gone', async () => {
    const box = await startBox(install, 'one');
    const endpoint = await endpointOf(box);
    expect(endpoint).toMatchObject({ via: 'address', port: 9476 });
    await answers(endpoint).toBe('one');
    expect([endpoint.holds(), await endpoint.confirm()]).toEqual([true, true]);
    await pause(box.container.id);
    expect(await kindOf(box)).toBe('endpoint');
    expect([endpoint.holds(), await endpoint.confirm()]).toEqual([true, true]);
    await box.container.unpause();
    await box.container.kill();
    expect(await kindOf(box)).toBe('gone');
    expect([endpoint.holds(), endpoint.lives(), await endpoint.confirm()]).toEqual([false, false, false]);
    await box.container.remove();
    expect(await kindOf(box)).toBe('gone');
    expect([endpoint.holds(), await endpoint.confirm()]).toEqual([false, false]);
  });
  it('is reached at its published port where it has one, else at its address', async () => {
    const [open, closed] = [await startBox(install, 'open', { published: true }), await startBox(install, 'closed')];
    const endpoint = await endpointOf(open, byPort);
    expect(endpoint).toMatchObject({ via: 'published', host: '127.0.0.1' });
    await answers(endpoint).toBe('open');
    expect([endpoint.holds(), await endpoint.confirm()]).toEqual([undefined, true]);
    expect((await endpointOf(open)).via).toBe('address');
    expect((await endpointOf(closed, byPort)).via).toBe('address');
    await open.container.restart({ t: 0 });
    expect(await endpoint.confirm()).toBe(false);
    expect(await said(endpoint)).toBe('QUERY_UNREACHABLE');
    await open.container.kill();
    expect(await kindOf(open, byPort)).toBe('gone');
  });
  it('without query program is mute, without network unreachable', async () => {
    expect(await kindOf(await startBox(install, 'm', { mute: true }))).toBe('mute');
    const box = await startBox(install, 'n', { network });
    const endpoint = await endpointOf(box);
    await answers(endpoint).toBe('n');
    await docker.getNetwork(network).disconnect({ Container: box.container.id });
    expect([await kindOf(box), await kindOf(box, byPort)]).toEqual(['unreachable', 'unreachable']);
    expect([endpoint.holds(), await endpoint.confirm()]).toEqual([false, false]);
  });
  it('that was started again is another one, at the same address too', async () => {
    const box = await startBox(install, 'one', { network });
    const endpoint = await endpointOf(box);
    await box.container.restart({ t: 0 });
    expect((await endpointOf(box)).host).toBe(endpoint.host);
    expect([endpoint.holds(), await endpoint.confirm()]).toEqual([false, false]);
  });
  it('on an engine that does not answer is not known, nor confirmed', async () => {
    const box = await startBox(install, 'one');
    const nowhere = queryEngine(install, { host: 'unix:///nowhere.sock' });
    await expect(nowhere.endpointOf(box.ref)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });
});

describe('an address that went to the next container', () => {
  /** Starts boxes until one has this address. */
  const takeover = async (host: string): Promise<QueryEndpoint> => {
    for (let n = 0; n < 5; n += 1) {
      const endpoint = await endpointOf(await startBox(install, 'heir', { network }));
      if (endpoint.host === host) return endpoint;
    }
    throw new Error(`nobody has ${host}`);
  };
  it.each(['removed', 'disconnected'])('of one that was %s never answers for it', async (how) => {
    const box = await startBox(install, 'old', { network });
    const old = await endpointOf(box);
    await answers(old).toBe('old');
    const kept = proxy.open(old);
    const ask = async (): Promise<string> =>
      text((await kept.ask({ path: '/', cancellation: Cancellation.of(AbortSignal.timeout(120_000)) })).body);
    expect(await ask()).toBe('old');
    if (how === 'removed') await box.container.remove({ force: true });
    else await docker.getNetwork(network).disconnect({ Container: box.container.id });
    const heir = await takeover(old.host);
    await answers(heir).toBe('heir');
    expect([old.holds(), await old.confirm()]).toEqual([false, false]);
    expect([heir.holds(), await heir.confirm()]).toEqual([true, true]);
    // Over the connection that was kept, and over a new one; with what /proc shows, and with what the engine says.
    await expect(ask()).rejects.toThrow();
    expect(await said(old)).toBe('QUERY_UNREACHABLE');
    expect(await said({ ...old, holds: () => undefined, lives: () => undefined })).toBe('QUERY_UNREACHABLE');
    kept.close();
  });
});

describe('a look at the process', () => {
  it('asks the engine nothing, so that each reply can have one', async () => {
    const engine = await openSocketProxy();
    try {
      const containers = queryEngine(install, { host: engine.host, reach: 'address' });
      const endpoint = await endpointOf(await startBox(install, 'one'), containers);
      const before = engine.requests().length;
      expect(before).toBeGreaterThan(0);
      for (let n = 0; n < 100; n += 1) {
        expect([endpoint.lives(), endpoint.holds()]).toEqual([true, true]);
        // Replies of one turn of the event loop share a look.
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(engine.requests()).toHaveLength(before);
    } finally {
      await engine.close();
    }
  });
});
