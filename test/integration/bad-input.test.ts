/** What bad input gets: a clear reason, never a crash, never an effect on another bot, never a hot loop. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOOPING, startSpine, zipOf, type Spine } from '../support/spine.ts';

describe('bad input', () => {
  let spine: Spine;
  let neighbour: string | null;
  beforeAll(async () => {
    // On a busy machine a start alone takes seconds: whoever crashes at once must not count as healthy for that.
    const healthyAfterMs = 3_600_000;
    spine = await startSpine({ policy: { backoffFirstMs: 1_000, backoffMaxMs: 4_000, healthyAfterMs } });
    await spine.deploy('neighbour');
    neighbour = (await spine.reaches('neighbour', 'running')).containerId;
  });
  afterAll(() => spine.end());

  const condition = (id: string, type: string) =>
    spine.bot(id)?.conditions.find((candidate) => candidate.type === type);
  const rejected = async (id: string, document: unknown): Promise<string> => {
    await spine.put(id, document);
    await expect.poll(() => condition(id, 'SpecValid')?.status).toBe('False');
    expect(spine.bot(id)?.state).toBe('stopped');
    return condition(id, 'SpecValid')?.message ?? '';
  };

  it('a malformed document', async () => {
    expect(await rejected('malformed', { id: 'malformed', config: 'no object', custom: 7 })).toMatch(/config|custom/);
    expect(await rejected('nothing', 42)).not.toBe('');
  });
  it('case A3: a bot whose author said no in any words never starts, and one whose author is unclear starts no more', async () => {
    for (const [n, enabled] of ['no', 'off', 'false', 0].entries()) {
      await spine.deploy(`root-${String(n)}`, LOOPING, { root: { enabled } });
      await spine.deploy(`config-${String(n)}`, LOOPING, { config: { enabled } });
    }
    await spine.deploy('unclear', LOOPING, { root: { enabled: 'maybe' } });
    await expect.poll(() => condition('unclear', 'SpecValid')?.message).toContain('/enabled: must be true or false');
    // Put last: what came before it has been decided by now.
    await spine.deploy('said-yes', LOOPING, { root: { enabled: true } });
    const { containerId } = await spine.reaches('said-yes', 'running');
    for (const n of [0, 1, 2, 3]) {
      for (const id of [`root-${String(n)}`, `config-${String(n)}`]) {
        await expect.poll(() => spine.bot(id)).toMatchObject({ state: 'stopped', wanted: false, attempt: 0 });
        expect(await spine.containers(id)).toEqual([]);
      }
    }
    expect(await spine.containers('unclear')).toEqual([]);
    await spine.deploy('said-yes', LOOPING, { root: { enabled: 'perhaps' } });
    await expect.poll(() => condition('said-yes', 'SpecValid')?.status).toBe('False');
    expect(spine.bot('said-yes')).toMatchObject({ state: 'running', containerId });
    await spine.deploy('said-yes', LOOPING, { root: { enabled: 'no' } });
    await spine.reaches('said-yes', 'stopped');
  });
  it('case A4: a misspelt setting below `drover` starts nothing, and its condition names the right one', async () => {
    const document = spine.document('slip', { root: { drover: { memoryMB: 64, retrys: 2 } } });
    expect(await rejected('slip', document)).toContain('/drover/memoryMB: is not known; did you mean `memoryMb`?');
    expect(await spine.containers('slip')).toEqual([]);
  });
  it('case E7: an image that the operator has not allowed makes no container, and a bot that runs goes on as it was', async () => {
    const wrong = { config: { drover: { image: 'evil/drover-bot:latest' } } };
    expect(await rejected('foreign-image', spine.document('foreign-image', wrong))).toMatch(
      /^\/config\/drover\/image: is not allowed: .*BOT_IMAGES_ALLOWED/,
    );
    expect(
      await rejected('too-large', spine.document('too-large', { root: { drover: { memoryMb: 1_048_576 } } })),
    ).toMatch(/^\/drover\/memoryMb: must be at most 65536 \(BOT_MAX_MEMORY_MB\)$/);
    await spine.deploy('keeps-image');
    const { containerId } = await spine.reaches('keeps-image', 'running');
    await spine.put('keeps-image', spine.document('keeps-image', wrong));
    await expect.poll(() => condition('keeps-image', 'SpecValid')?.reason).toBe('ImageNotAllowed');
    expect(spine.bot('keeps-image')).toMatchObject({ state: 'running', containerId });
    expect(await spine.containers('foreign-image')).toEqual([]);
    expect(await spine.containers('too-large')).toEqual([]);
  });
  it('an unknown runtime', async () => {
    const message = await rejected('cobol', spine.document('cobol', { custom: { runtime: 'cobol85' } }));
    expect(message).toMatch(/runtime/);
    expect(message).toMatch(/nodejs20/);
  });
  it('a path in a bot id', async () => {
    expect(await rejected('../../etc', spine.document('../../etc'))).toMatch(/path/);
  });
  it('a document that breaks leaves the bot that runs alone, and heals', async () => {
    await spine.deploy('breaks');
    const { containerId } = await spine.reaches('breaks', 'running');
    await spine.put('breaks', { id: 'breaks' });
    await expect.poll(() => condition('breaks', 'SpecValid')?.status).toBe('False');
    expect(spine.bot('breaks')).toMatchObject({ state: 'running', containerId });
    await spine.put('breaks', spine.document('breaks'));
    await expect.poll(() => condition('breaks', 'SpecValid')?.status).toBe('True');
    expect(spine.bot('breaks')).toMatchObject({ state: 'running', containerId });
  });
  it('a missing archive: said, waited for with backoff, and healed when it comes', async () => {
    await spine.put('missing', spine.document('missing'));
    await spine.reaches('missing', 'failed.backingOff');
    await expect.poll(() => condition('missing', 'Degraded')?.reason).toBe('ArchiveMissing');
    await expect.poll(() => spine.bot('missing')?.attempt).toBeGreaterThanOrEqual(2);
    const delays = spine.told.flatMap(({ botId, event }) =>
      botId === 'missing' && event.type === 'RetryScheduled' ? [event.delayMs] : [],
    );
    expect(delays[0]).toBeGreaterThanOrEqual(900);
    await spine.stores.archives.putCode('test/missing/1.0.0', zipOf({ 'main.js': LOOPING }));
    await spine.reaches('missing', 'running');
  });
  it('a corrupt archive: given up at once with its reason, left by a mended document', async () => {
    await spine.stores.archives.putCode('test/corrupt/1.0.0', Readable.from([Buffer.from('this is no zip')]));
    await spine.put('corrupt', spine.document('corrupt'));
    await spine.reaches('corrupt', 'failed.exhausted');
    expect(condition('corrupt', 'Degraded')?.reason).toBe('ArchiveCorrupt');
    expect(spine.bot('corrupt')?.attempt).toBe(1);
    await spine.stores.archives.putCode('test/corrupt/1.0.1', zipOf({ 'main.js': LOOPING }));
    const document = spine.document('corrupt') as { custom: object };
    await spine.put('corrupt', { ...document, custom: { ...document.custom, filePath: 'test/corrupt/1.0.1' } });
    await spine.reaches('corrupt', 'running');
  });
  it('an entrypoint that is not in the archive', async () => {
    await spine.deploy('noentry', LOOPING, { custom: { entrypoints: { bot: 'nowhere.js' } } });
    await spine.reaches('noentry', 'failed.exhausted');
    expect(condition('noentry', 'Degraded')?.reason).toBe('EntrypointMissing');
  });
  it('an image that does not exist', async () => {
    await spine.deploy('noimage', LOOPING, { root: { drover: { image: 'drover-no-such-image:none' } } });
    await spine.reaches('noimage', 'failed.backingOff');
    await expect.poll(() => condition('noimage', 'Degraded')?.reason).toBe('ImageUnavailable');
  });
  it('a bot that crashes: told with its last words, tried again with growing delays', async () => {
    await spine.deploy('crashing', `exports.main = async () => { console.log('last words'); process.exit(3); };`);
    const failed = await spine.reaches('crashing', 'failed.backingOff', (bot) => bot.attempt >= 2);
    expect(failed.lastExit).toMatchObject({ exitCode: 3, class: 'appError' });
    const exit = spine.told.find(({ botId, event }) => botId === 'crashing' && event.type === 'ContainerExited');
    expect(exit?.event.type === 'ContainerExited' && exit.event.logTail.join('\n')).toContain('last words');
    const delaysOf = (): readonly number[] =>
      spine.told.flatMap(({ botId, event }) =>
        botId === 'crashing' && event.type === 'RetryScheduled' ? [event.delayMs] : [],
      );
    // The state comes first, the line about it a moment later.
    await expect.poll(() => delaysOf().length).toBeGreaterThanOrEqual(2);
    const delays = delaysOf();
    expect(delays[1]).toBeGreaterThan(delays[0] ?? Infinity);
  });
  it('and through all of it the neighbour was left alone', () => {
    expect(spine.bot('neighbour')).toMatchObject({ state: 'running', containerId: neighbour, attempt: 1 });
  });
});
