/**
 * How fast the embedded log takes appends, as ratios to a floor measured in the same run: one durable raw insert a
 * transaction through the same driver. Run with `npx tsx bench/append.bench.ts`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openEmbeddedStores } from '../src/adapters/embedded/embedded-stores.ts';
import { connect } from '../src/adapters/embedded/sql-connection.ts';
import type { EventStore } from '../src/ports/event-store.ts';

const APPENDS = 3_000;
const WRITERS = 64;
const PAYLOAD = 'x'.repeat(400);

interface Measured {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** `lanes` flows, each one call after the other. */
const measure = async (lanes: number, call: (lane: number, turn: number) => Promise<unknown>): Promise<Measured> => {
  const times: number[] = [];
  const begin = performance.now();
  const flow = async (lane: number): Promise<void> => {
    for (let turn = 0; turn < Math.ceil(APPENDS / lanes); turn += 1) {
      const start = performance.now();
      await call(lane, turn);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => flow(lane)));
  const seconds = (performance.now() - begin) / 1_000;
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0;
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) };
};

const floor = async (folder: string): Promise<Measured> => {
  const sql = connect(join(folder, 'floor.db'));
  await sql.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  await sql.exec('CREATE TABLE log (position INTEGER PRIMARY KEY, body TEXT NOT NULL)');
  const measured = await measure(1, () => sql.run('INSERT INTO log (body) VALUES (?)', PAYLOAD));
  sql.close();
  return measured;
};

const appendTo =
  (events: EventStore, kind: string) =>
  (lane: number, turn: number): Promise<unknown> =>
    events.append({
      stream: `bot:${kind}-${String(lane)}`,
      expectedVersion: turn,
      events: [{ type: 'Noted', schema: 1, data: { payload: PAYLOAD } }],
      causes: [{ kind: 'timer' }],
    });

const show = (name: string, measured: Measured, against: Measured): void => {
  const { perSecond, p50, p99 } = measured;
  const ratio = (perSecond / against.perSecond).toFixed(2);
  console.log(
    `${name.padEnd(22)} ${perSecond.toFixed(0).padStart(7)}/s  ${ratio.padStart(6)} × floor` +
      `  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms`,
  );
};

const folder = await mkdtemp(join(tmpdir(), 'drover-bench-'));
try {
  const stores = await openEmbeddedStores({ dataDir: join(folder, 'data'), writer: 'bench', now: Date.now });
  const raw = await floor(folder);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const one = await measure(1, appendTo(stores.events, 'one'));
  const many = await measure(WRITERS, appendTo(stores.events, 'many'));
  delay.disable();
  show('floor: raw insert', raw, raw);
  show('1 writer', one, raw);
  show(`${String(WRITERS)} writers`, many, raw);
  console.log(`event loop delay during appends: p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, max ${(delay.max / 1e6).toFixed(1)} ms`); // prettier-ignore
  await stores.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
