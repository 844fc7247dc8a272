/**
 * Random documents, messages and requests let loose on both services, on real stores. Whatever comes, one bot of another owner is kept
 * running, no pass fails for good, no answer is a 5xx, and at the end everything can be stopped and deleted.
 * `FUZZ_SECONDS`: how long each takes; `npm run fuzz` takes five minutes each. The seed is in the name of a failure.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWishIntake } from '../../src/controllers/wish-intake.ts';
import { BOT_WISH_KIND, SCHEDULE_WISH_KIND } from '../../src/controllers/wish-kinds.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { mintId } from '../../src/main.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { fuzzedCall, fuzzedDocument, fuzzedText, type FuzzedCall } from '../support/fuzz-inputs.ts';
import { aDocument, openApp, type ServedApp } from '../support/served.ts';

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 3);
/** Inputs between two checks that the witness is kept. */
const BATCH = 60;
/** Errors of the log that say that a pass will fail in the same way for ever. */
const FOR_GOOD = /EVENT_ILLEGAL|INTERNAL|STORE_CORRUPT|call stack/;

const asked = () => ({ requestId: mintId(), actor: 'fuzz', action: 'apply', at: Date.now() });

interface Line {
  readonly message: string;
  readonly fields: unknown;
}

describe(`for ${String(SECONDS)} s each`, { timeout: (SECONDS + 90) * 1_000 }, () => {
  let served: ServedApp;
  let bad: Line[];
  beforeEach(async () => {
    bad = [];
    const note = (message: string, fields?: unknown): void => {
      if (FOR_GOOD.test(JSON.stringify(fields ?? {}))) bad.push({ message, fields });
    };
    const logger: Logger = { debug: () => undefined, info: () => undefined, warn: note, error: note };
    // The witness loses its container again and again: that is not what keeps it from coming back.
    const policy = { backoffFirstMs: 10, backoffMaxMs: 50, maxCrashes: 1_000_000 };
    served = await openApp(undefined, { logger, resyncIntervalMs: 500, policy });
    await served.stores.specs.put('witness', aDocument('witness'), asked());
    await expect.poll(() => served.states.get('witness')?.state).toBe('running');
  });
  afterEach(() => served.close());

  /** Its container is gone, and comes back: by the engine’s events or by the tick. */
  const witnessIsKept = async (inputs: unknown): Promise<void> => {
    const before = served.states.get('witness')?.attempt ?? 0;
    await served.world.hands.remove('witness');
    await expect
      .poll(() => served.states.get('witness'), { message: JSON.stringify(inputs).slice(0, 4_000) })
      .toMatchObject({ state: 'running', attempt: before + 1 });
    expect(bad, JSON.stringify(inputs).slice(0, 4_000)).toEqual([]);
  };

  const everythingEnds = async (): Promise<void> => {
    const { specs, schedules } = served.stores;
    await served.app.request('http://127.0.0.1/v1/drain', { method: 'DELETE' });
    // Also those whose id came about by damage.
    for (const store of [specs, schedules]) {
      for (const { id, document } of (await store.readFleet()).records) {
        if (document !== null && id !== 'witness') await store.remove(id, asked());
      }
    }
    await expect.poll(() => served.states.list().map(({ botId }) => botId)).toEqual(['witness']);
    await expect.poll(() => served.schedules.view.list()).toEqual([]);
    expect(await served.runs.engine.list()).toEqual([]);
  };

  const loose = async <T>(inputs: fc.Arbitrary<T>, send: (input: T) => Promise<void>): Promise<number> => {
    const until = performance.now() + SECONDS * 1_000;
    const first = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
    let sent = 0;
    for (let seed = first; performance.now() < until; seed += 1) {
      const batch = fc.sample(inputs, { seed, numRuns: BATCH });
      for (const input of batch) {
        try {
          await send(input);
        } catch (thrown) {
          throw new Error(`FUZZ_SEED=${String(seed)}: ${JSON.stringify(input).slice(0, 2_000)}`, { cause: thrown });
        }
        sent += 1;
      }
      await witnessIsKept(batch);
    }
    await everythingEnds();
    return sent;
  };

  it('documents that another program wrote harm nobody else', async () => {
    const { specs, schedules } = served.stores;
    const sent = await loose(fuzzedDocument, async ({ kind, id, document }) => {
      // What is too deep even to be printed is refused by the store itself.
      await (kind === 'bot' ? specs : schedules).put(id, document, asked()).catch((thrown: unknown) => {
        if (!(thrown instanceof DroverError) || thrown.code !== 'DOCUMENT_INVALID') throw thrown;
      });
    });
    expect(sent).toBeGreaterThan(0);
  });

  it('messages harm nobody else', async () => {
    const { specs, schedules, deadLetters } = served.stores;
    const common = { deadLetters, logger: served.logger, mintId, mayAct: () => undefined };
    const bots = createWishIntake({ kind: BOT_WISH_KIND, specs, ...common });
    const runs = createWishIntake({ kind: SCHEDULE_WISH_KIND, specs: schedules, ...common });
    const verb = fc.constantFrom('created', 'updated', 'updated', 'deleted');
    let sequence = 0;
    const sent = await loose(fc.tuple(fuzzedText, verb), async ([{ kind, text }, what]) => {
      sequence += 1;
      const root = kind === 'bot' ? 'the0.bot' : 'the0.bot-schedule';
      const message = {
        subject: `${root}.${what}`,
        data: new TextEncoder().encode(text),
        at: Date.now(),
        position: { stream: 'THE0_EVENTS@1', sequence },
      };
      await (kind === 'bot' ? bots : runs).onMessages([message]);
    });
    expect(sent).toBeGreaterThan(0);
  });

  it('requests of the API harm nobody else, and no answer is a 5xx', async () => {
    const send = async ({ method, path, body }: FuzzedCall): Promise<void> => {
      const response = await served.app.request(`http://127.0.0.1${path}`, {
        method,
        ...(method === 'GET' ? {} : { body, headers: { 'content-type': 'application/json' } }),
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      expect(response.status, `${method} ${path} ${body.slice(0, 500)}: ${text.slice(0, 500)}`).toBeLessThan(500);
    };
    const sent = await loose(fuzzedCall, async (call) => {
      await Promise.all(Array.from({ length: call.times }, () => send(call)));
    });
    expect(sent).toBeGreaterThan(0);
  });
});
