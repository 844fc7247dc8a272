/** Messages into documents on real stores: folded, ordered, dead letters for what is malformed (faults R1, R5). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { createWishIntake } from '../../src/controllers/wish-intake.ts';
import { BOT_WISH_KIND, SCHEDULE_WISH_KIND } from '../../src/controllers/wish-kinds.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { mintId } from '../../src/main.ts';
import type { BusMessage, WishConsumer } from '../../src/ports/message-bus.ts';
import type { AnyRequest, SpecStore } from '../../src/ports/spec-store.ts';
import { malformedMessages } from '../support/malformed-messages.ts';
import { aDocument as aBot } from '../support/served.ts';
import { silentLogger } from '../support/silent-logger.ts';

const asked = { requestId: 'r', actor: 't', action: 'apply', at: 1 };

/** As the messages of one kind wish it. */
const KINDS = [
  { kind: BOT_WISH_KIND, root: 'the0.bot', needs: {} },
  { kind: SCHEDULE_WISH_KIND, root: 'the0.bot-schedule', needs: { schedule: '0 * * * *' } },
] as const;

describe.each(KINDS)('the intake of messages $root.*', ({ kind, root, needs }) => {
  const aDocument = (id: string, config: object = {}) => aBot(id, { ...needs, ...config });
  let dataDir: string;
  let stores: Awaited<ReturnType<typeof openEmbeddedStores>>;
  let specs: SpecStore<AnyRequest>;
  let intake: WishConsumer;
  let mayAct: () => void;
  let written: string[];
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'drover-intake-'));
    stores = await openEmbeddedStores({ dataDir, writer: 'test', now: () => Date.now() });
    mayAct = () => undefined;
    written = [];
    const store: SpecStore<AnyRequest> = kind === BOT_WISH_KIND ? stores.specs : stores.schedules;
    specs = {
      ...store,
      applyWish: (id, wish, ...rest) => {
        written.push(`${wish.kind} ${id}`);
        return store.applyWish(id, wish, ...rest);
      },
    };
    const { deadLetters } = stores;
    intake = createWishIntake({ kind, specs, deadLetters, logger: silentLogger, mintId, mayAct: () => { mayAct(); } }); // prettier-ignore
  });
  afterEach(async () => {
    await stores.close();
    await rm(dataDir, { recursive: true });
  });

  const message = (what: string, body: unknown, sequence?: number, at = 1_700_000_000_000): BusMessage => ({
    subject: `${root}.${what}`,
    data: body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body)),
    at,
    ...(sequence === undefined ? {} : { position: { stream: 'THE0_EVENTS@1', sequence } }),
  });
  const documentOf = async (id: string): Promise<unknown> => (await specs.read(id))?.document;

  it('stores what is sent, and who sent it', async () => {
    await intake.onMessages([message('created', aDocument('a'), 7)]);
    const record = await specs.read('a');
    expect(record?.document).toEqual(aDocument('a'));
    expect(record?.asked).toMatchObject({
      actor: 'nats',
      action: `${root}.created`,
      message: { subject: `${root}.created`, sequence: 7 },
    });
  });

  it('writes once for a bot whose whole history waits, and nothing for one that its end deletes but a tombstone', async () => {
    const history = [
      message('created', aDocument('a', { n: 1 }), 1),
      message('created', aDocument('b'), 2),
      message('updated', aDocument('a', { n: 2 }), 3),
      message('updated', aDocument('b'), 4),
      message('updated', aDocument('a', { n: 3 }), 5),
      message('deleted', { id: 'b' }, 6),
    ];
    await intake.onMessages(history);
    expect(written.sort()).toEqual(['delete b', 'update a']);
    expect(await documentOf('a')).toEqual(aDocument('a', { n: 3 }));
    expect(await documentOf('b')).toBeNull();
    await intake.onMessages(history);
    expect(await documentOf('a')).toEqual(aDocument('a', { n: 3 }));
  });

  it('R5: an update shortly after a deletion, in no stream, brings nothing back; later it does, and a creation does', async () => {
    const at = Date.now();
    await intake.onMessages([message('created', aDocument('a'), undefined, at)]);
    await intake.onMessages([message('deleted', { id: 'a' }, undefined, at)]);
    await intake.onMessages([message('updated', aDocument('a'), undefined, at + 59_000)]);
    expect(await documentOf('a')).toBeNull();
    await intake.onMessages([message('updated', aDocument('a'), undefined, at + 61_000)]);
    expect(await documentOf('a')).toEqual(aDocument('a'));
    await intake.onMessages([message('deleted', { id: 'a' }, undefined, at + 62_000)]);
    await intake.onMessages([message('created', aDocument('a'), undefined, at + 63_000)]);
    expect(await documentOf('a')).toEqual(aDocument('a'));
    // What nobody deleted is inserted by an update, as on the reference.
    await intake.onMessages([message('updated', aDocument('never-seen'), undefined, at)]);
    expect(await documentOf('never-seen')).toEqual(aDocument('never-seen'));
  });

  it('R5: a creation counts though late updates come with it, in either order, at once as one by one', async () => {
    const at = Date.now();
    for (const [id, whats] of [
      ['x', ['created', 'updated']],
      ['y', ['updated', 'created']],
    ] as const) {
      await intake.onMessages([message('created', aDocument(id), undefined, at)]);
      await intake.onMessages([message('deleted', { id }, undefined, at)]);
      await intake.onMessages(whats.map((what) => message(what, aDocument(id, { what }), undefined, at + 1_000)));
      expect(await documentOf(id)).toEqual(aDocument(id, { what: whats[0] === 'created' ? 'updated' : 'created' }));
    }
  });

  it('R1: 200 malformed messages leave 200 dead letters with subject and reason, and hold up nobody', async () => {
    const bad = malformedMessages(200);
    const all = bad.map(({ kind: what, data }, index) => message(what, data, index + 1));
    await intake.onMessages([...all, message('created', aDocument('good'), 201)]);
    expect(await documentOf('good')).toEqual(aDocument('good'));
    const letters = await stores.deadLetters.list(1_000);
    expect(letters).toHaveLength(200);
    expect(letters.every(({ reason, subject }) => reason !== '' && subject.startsWith(`${root}.`))).toBe(true);
    expect(new Set(letters.map(({ position }) => position?.sequence)).size).toBe(200);
    // Brought again, as after a crash before the stream heard of it.
    await intake.onMessages(all);
    expect(await stores.deadLetters.list(1_000)).toHaveLength(200);
    expect((await specs.readFleet()).records.map(({ id }) => id)).toEqual(['good']);
  });

  it('leaves alone what is wished of the other kind', async () => {
    const other = root === 'the0.bot' ? 'the0.bot-schedule' : 'the0.bot';
    const foreign = { ...message('created', aBot('a', { schedule: '* * * * *' }), 1), subject: `${other}.created` };
    await intake.onMessages([foreign, message('created', aDocument('b'), 2)]);
    expect((await stores.specs.readFleet()).records.map(({ id }) => id)).toEqual(kind === BOT_WISH_KIND ? ['b'] : []);
    expect((await stores.schedules.readFleet()).records.map(({ id }) => id)).toEqual(
      kind === BOT_WISH_KIND ? [] : ['b'],
    );
    expect(await stores.deadLetters.list(10)).toEqual([]);
  });

  it('refuses all while another process leads, so that the messages come again to whoever does', async () => {
    mayAct = () => {
      throw new DroverError('LEASE_LOST', 'not me');
    };
    await expect(intake.onMessages([message('created', aDocument('a'), 1)])).rejects.toMatchObject({
      code: 'LEASE_LOST',
    });
    expect(await documentOf('a')).toBeUndefined();
  });

  it('starts a new consumer at the present when the store holds bots, else at the beginning', async () => {
    expect(await intake.startsAtNow()).toBe(false);
    await specs.put('a', aDocument('a'), asked);
    expect(await intake.startsAtNow()).toBe(true);
    await specs.remove('a', asked);
    expect(await intake.startsAtNow()).toBe(false);
  });
});
