/** The log as transitions: what the line on stdout, `drover transitions` and every later feed are made of. */
import { botOfStream, botStream } from '../domain/bot-event.ts';
import type { Commit } from '../domain/recorded.ts';
import type { Transition } from '../domain/transition.ts';
import { initialState } from '../machines/evolve.ts';
import type { VersionedState } from '../machines/snapshot.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { TransitionSource } from '../ports/fleet-view.ts';
import type { Logger } from '../ports/logger.ts';
import { foldCommit } from './fold-commit.ts';

const PAGE = 500;

/** Folds commits one after another; a bot whose log cannot be folded is told once and then passed over. */
export const createTransitionFold = (logger: Logger, seeds: Iterable<readonly [string, VersionedState]> = []) => {
  const folds = new Map(seeds);
  const broken = new Set<string>();
  return (commit: Commit): readonly Transition[] => {
    const botId = botOfStream(commit.stream);
    if (botId === undefined || broken.has(botId)) return [];
    try {
      const before = folds.get(botId) ?? { state: initialState, version: 0 };
      const { after, transitions } = foldCommit(botId, before, commit);
      folds.set(botId, after);
      return transitions;
    } catch (error) {
      broken.add(botId);
      logger.error('log of a bot cannot be folded', { bot: botId, position: commit.position, error });
      return [];
    }
  };
};

async function* stored(events: EventStore, botId: string | undefined): AsyncGenerator<Commit> {
  if (botId !== undefined) {
    yield* await events.read(botStream(botId));
    return;
  }
  let after = 0;
  for (;;) {
    const page = await events.readAll(after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.position;
  }
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
    for await (const commit of events.feed(head, signal)) {
      if (botId !== undefined && commit.stream !== botStream(botId)) continue;
      const transitions = fold(commit);
      if (commit.position > after) yield* transitions;
    }
  },
});
