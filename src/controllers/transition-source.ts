/** The log as transitions: what `drover transitions` and every later feed are made of. */
import { botStream } from '../domain/bot-event.ts';
import type { Commit } from '../domain/recorded.ts';
import { partsOfRun, runStream } from '../domain/run-id.ts';
import { scheduleStream } from '../domain/schedule-event.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { TransitionSource } from '../ports/fleet-view.ts';
import type { Logger } from '../ports/logger.ts';
import { createTransitionFold } from './transition-fold.ts';

const PAGE = 500;

/** Does a stream tell of this id? Of a schedule, so do those of its runs. */
const tellsOf = (id: string) => {
  const own = new Set(partsOfRun(id) === undefined ? [botStream(id), scheduleStream(id)] : [runStream(id)]);
  const runs = runStream(`${id}/`);
  return (stream: string): boolean => own.has(stream) || stream.startsWith(runs);
};

async function* everything(events: EventStore): AsyncGenerator<Commit> {
  let after = 0;
  for (;;) {
    const page = await events.readAll(after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.position;
  }
}

async function* stored(events: EventStore, id: string | undefined): AsyncGenerator<Commit> {
  if (id === undefined) {
    yield* everything(events);
    return;
  }
  const isRun = partsOfRun(id) !== undefined;
  const one = await events.read(isRun ? runStream(id) : botStream(id));
  if (isRun || one.length > 0) {
    yield* one;
    return;
  }
  // A schedule: what its runs did stands between its own events, in the order in which it happened.
  if ((await events.read(scheduleStream(id))).length === 0) return;
  const tells = tellsOf(id);
  for await (const commit of everything(events)) if (tells(commit.stream)) yield commit;
}

export const createTransitionSource = (events: EventStore, logger: Logger): TransitionSource => ({
  async *read({ after, botId, follow, signal }) {
    const fold = createTransitionFold(logger);
    const head = await events.head();
    for await (const commit of stored(events, botId)) {
      if (signal.aborted) return;
      // What came since belongs to the feed below, so that nothing is told twice.
      if (commit.position > head) break;
      const transitions = fold(commit);
      if (commit.position > after) yield* transitions;
    }
    if (!follow) return;
    const tells = botId === undefined ? () => true : tellsOf(botId);
    for await (const commit of events.feed(head, signal)) {
      if (!tells(commit.stream)) continue;
      const transitions = fold(commit);
      if (commit.position > after) yield* transitions;
    }
  },
});
