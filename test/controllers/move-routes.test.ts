/** Dead letters and the takeover over the API. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Leader } from '../../src/controllers/leader.ts';
import { createTakeover } from '../../src/controllers/takeover.ts';
import type { PredecessorContainer } from '../../src/ports/predecessor.ts';
import { aDocument, openApp, type ServedApp } from '../support/served.ts';
import { silentLogger } from '../support/silent-logger.ts';

describe('dead letters', () => {
  let api: ServedApp;
  beforeEach(async () => {
    api = await openApp();
  });
  afterEach(() => api.close());
  const call = (path: string, method = 'GET') => api.app.request(`http://127.0.0.1${path}`, { method });

  it('are shown newest first, as many as are asked for', async () => {
    for (const sequence of [1, 2, 3]) {
      const position = { stream: 'S@1', sequence };
      await api.stores.deadLetters.add({
        subject: 's',
        at: sequence,
        reason: 'not JSON',
        size: 1,
        data: 'ew==',
        position,
      });
    }
    const letters = (await (await call('/v1/dead-letters?limit=2')).json()) as { position: { sequence: number } }[];
    expect(letters.map(({ position }) => position.sequence)).toEqual([3, 2]);
  });
  it.each(['0', '-1', 'x', '5000', '1e3'])('cannot be asked for with limit=%s', async (limit) => {
    expect((await call(`/v1/dead-letters?limit=${limit}`)).status).toBe(422);
  });
  it('and an empty takeover are answers too', async () => {
    expect(await (await call('/v1/dead-letters')).json()).toEqual([]);
    expect(await (await call('/v1/takeover')).json()).toEqual({ ours: [], strangers: [], installs: [] });
    expect((await call('/v1/takeover/nobody', 'POST')).status).toBe(404);
  });
});

describe('the takeover', () => {
  let api: ServedApp;
  const container = (botId: string, id: string): PredecessorContainer => ({
    botId,
    container: id,
    name: id,
    image: 'i',
    createdAt: 1,
  });
  let live: PredecessorContainer[];
  let stopped: string[];
  let looked: number;
  beforeEach(async () => {
    api = await openApp();
    await api.stores.specs.put('a', aDocument('a'), { requestId: 'r', actor: 't', action: 'apply', at: 1 });
    live = [container('a', 'c1'), container('a', 'c2'), container('stranger', 'c3')];
    stopped = [];
    looked = 0;
  });
  afterEach(() => api.close());
  const takeover = (inTerm: Leader['inTerm'] = (work) => work()) =>
    createTakeover({
      specs: api.stores.specs,
      inTerm,
      logger: silentLogger,
      onTaken: () => {
        looked += 1;
      },
      predecessor: {
        list: () => Promise.resolve(live),
        stop: (id) => {
          stopped.push(id);
          live = live.filter((one) => one.container !== id);
          return Promise.resolve();
        },
      },
    });

  it('leaves alone the containers of a disabled bot, because nothing would start instead', async () => {
    const document = { ...aDocument('a'), enabled: false };
    await api.stores.specs.put('a', document, { requestId: 'r2', actor: 't', action: 'apply', at: 2 });
    expect((await takeover().look()).ours).toEqual([]);
    await expect(takeover().take('a')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    expect(stopped).toEqual([]);
  });
  it('stops nothing while the fleet is drained, because nothing would start instead', async () => {
    await api.stores.specs.setDrain({ requestId: 'd', actor: 't', action: 'drain', at: 1, reason: '' });
    await expect(takeover().take('a')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('drover drain --undo') as unknown,
    });
    expect(stopped).toEqual([]);
  });
  it('tells ours from strangers and changes nothing', async () => {
    const { ours, strangers } = await takeover().look();
    expect([ours.map((one) => one.container), strangers.map((one) => one.container)]).toEqual([['c1', 'c2'], ['c3']]);
    expect(stopped).toEqual([]);
  });
  it('stops every container of the bot, and then the fleet is looked at', async () => {
    expect((await takeover().take('a')).map((one) => one.container)).toEqual(['c1', 'c2']);
    expect([stopped, looked]).toEqual([['c1', 'c2'], 1]);
    expect(await takeover().take('a')).toEqual([]);
  });
  it('leaves alone whom drover does not have, also one whose bot was deleted', async () => {
    await expect(takeover().take('stranger')).rejects.toMatchObject({ code: 'BOT_NOT_FOUND' });
    await api.stores.specs.remove('a', { requestId: 'r2', actor: 't', action: 'delete', at: 2 });
    await expect(takeover().take('a')).rejects.toMatchObject({ code: 'BOT_NOT_FOUND' });
    expect(stopped).toEqual([]);
  });
  it('is refused to a standby', async () => {
    const refuse = (): never => {
      throw new Error('not me');
    };
    await expect(takeover(refuse).take('a')).rejects.toThrow('not me');
    expect(stopped).toEqual([]);
  });
});
