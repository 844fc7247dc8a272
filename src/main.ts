/** The composition root: adapters → stores → services → start, and the drain of its own work on SIGTERM. */
import { randomUUID } from 'node:crypto';
import { createBots } from './controllers/create-bots.ts';
import type { DroverParts } from './controllers/drover-parts.ts';
import { combineGuards, onlyLeading } from './controllers/removal-guard.ts';
import { createQueries } from './controllers/queries/create-queries.ts';
import { joinOrphans } from './controllers/orphan-keeper.ts';
import { createReadiness } from './controllers/readiness.ts';
import { createSchedules } from './controllers/schedules/create-schedules.ts';
import { createNotices } from './controllers/schedules/notices.ts';
import { createServiceOffice, type ServiceOffice } from './controllers/service-office.ts';
import type { ServiceState } from './controllers/service-state.ts';
import { createWishSource } from './controllers/sources/messages.ts';
import { createStateOwners } from './controllers/state-owners.ts';
import { createStateSnapshots } from './controllers/state-snapshots.ts';
import { createTakeover } from './controllers/takeover.ts';
import { followTransitions } from './controllers/transition-log.ts';
import { createTroubles, ENGINE_TOPIC, passOf, sightOf } from './controllers/troubles.ts';
import { createTransitionSource } from './controllers/transition-source.ts';
import { atMost } from './controllers/waits.ts';
import { watchedEngine } from './controllers/watched-engine.ts';
import { createWishIntake } from './controllers/wish-intake.ts';
import { BOT_WISH_KIND, SCHEDULE_WISH_KIND } from './controllers/wish-kinds.ts';
import type { Transition } from './domain/transition.ts';
import { transitionsSubject } from './domain/transitions-subject.ts';
import type { Readiness, RemovalGuard, TransitionSource, Trouble } from './ports/fleet-view.ts';
import type { QueryHandler } from './ports/query-handler.ts';
import type { Orphans } from './ports/orphans.ts';
import type { Takeover } from './ports/predecessor.ts';
import type { ScheduleReaders } from './ports/schedule-view.ts';
import type { StateSnapshots } from './ports/state-snapshots.ts';

export type { DroverParts, Office } from './controllers/drover-parts.ts';
/** For adapters that act. */
export { createFence, type Fence } from './controllers/fence.ts';

export interface Drover {
  readonly states: ServiceState;
  readonly schedules: ScheduleReaders;
  readonly transitions: TransitionSource;
  readonly guard: RemovalGuard;
  readonly takeover: Takeover;
  readonly orphans: Orphans;
  readonly stateSnapshots: StateSnapshots;
  readonly queries: QueryHandler | undefined;
  readonly readiness: () => Promise<readonly Readiness[]>;
  /** What keeps a bot or schedule from being known; of who `hasContainer`, or is to have one, also an engine that is away. */
  readonly troubleOf: (id: string, hasContainer: boolean) => Trouble | undefined;
  /** Folds the log, then listens. */
  start(): Promise<void>;
  /** Ends its own work within `withinMs`; bots are not touched. */
  stop(withinMs: number): Promise<void>;
}

const RELEASE_MS = 1_500;

/** What is left undone at the end is only a cache or a courtesy. */
const ignore = (): undefined => undefined;

/** BotService and ScheduleService on the given ports. The stores and the engines belong to the caller, who closes them after `stop`. */
export const createDrover = async (parts: DroverParts): Promise<Drover> => {
  const { specs, schedules: scheduleStore, snapshots, archives, bus, clock, logger, tell } = parts;
  const { policy, defaults, resyncIntervalMs } = parts;
  const { events } = parts.bots;
  const installId = await specs.installId();
  const troubles = createTroubles(() => clock.now());
  const botEngine = watchedEngine(parts.bots.engine, troubles);
  const runEngine = watchedEngine(parts.runs.engine, troubles);
  const shared = { snapshots, installId, policy, defaults, resyncIntervalMs, troubles, clock, logger };
  let folded = 0;

  const botOffice: ServiceOffice = createServiceOffice({
    office: parts.bots,
    governed: () => ({ ...bots, wishes: botWishes, onLead: tellTaken }),
    folded: () => folded,
    logger,
    clock,
  });
  const runOffice: ServiceOffice = createServiceOffice({
    office: parts.runs,
    governed: () => ({ ...schedules, wishes: scheduleWishes, onLead: () => undefined }),
    folded: () => folded,
    logger,
    clock,
  });
  const bots = createBots({
    ...shared,
    specs,
    events,
    engine: botEngine,
    leads: botOffice.leader.leads,
    inTerm: botOffice.leader.inTerm,
  });
  const schedules = createSchedules({
    ...shared,
    schedules: scheduleStore,
    bots: specs,
    events: parts.runs.events,
    engine: runEngine,
    leads: runOffice.leader.leads,
    inTerm: runOffice.leader.inTerm,
  });
  const { states } = bots;
  const tellTaken = (): void => {
    const known = states.list().filter(({ containerId }) => containerId !== null);
    for (const bot of known)
      logger.info('took over a bot and its container', { bot: bot.botId, container: bot.containerId });
  };
  const queries =
    parts.queries === undefined
      ? undefined
      : createQueries({
          ...parts.queries,
          states,
          scheduleStates: schedules.states,
          specs,
          schedules: scheduleStore,
          archives,
          defaults,
          clock,
        });
  const { mayAct, inTerm } = botOffice.leader;
  const intake = createWishIntake({
    kind: BOT_WISH_KIND,
    specs,
    deadLetters: parts.deadLetters,
    logger,
    mintId,
    mayAct,
  });
  const botWishes = bus === undefined ? undefined : createWishSource(bus, intake, inTerm);
  const scheduleIntake = createWishIntake({
    kind: SCHEDULE_WISH_KIND,
    specs: scheduleStore,
    deadLetters: parts.deadLetters,
    logger,
    mintId,
    mayAct: runOffice.leader.mayAct,
  });
  const scheduleWishes = bus === undefined ? undefined : createWishSource(bus, scheduleIntake, runOffice.leader.inTerm);

  /** Facts for whoever listens; of several processes the one that acts says them, and what nobody heard is in the log. */
  const tellAll = (transition: Transition): void => {
    const isBot = transition.kind === 'bot';
    queries?.noticed(transition);
    if (isBot) states.counters.count(transition);
    else schedules.count(transition);
    const { acts = true } = isBot ? parts.bots : parts.runs;
    if (acts) tell(transition);
    const { leads } = isBot ? botOffice.leader : runOffice.leader;
    if (leads()) bus?.publish(transitionsSubject(transition.botId), JSON.stringify(transition));
    if (transition.kind === 'schedule') notice(transition);
  };
  const notice = createNotices({
    mayTell: runOffice.leader.leads,
    logger,
    publish: (subject, payload) => bus?.publish(subject, payload),
  });
  const orphans = joinOrphans([bots.orphans, schedules.orphans]);
  const following = new AbortController();
  let followed: Promise<void> = Promise.resolve();
  let started = false;
  const guards = combineGuards([
    onlyLeading(bots.guard, botOffice.leader, parts.bots.leadership),
    onlyLeading(schedules.guard, runOffice.leader, parts.runs.leadership),
  ]);

  return {
    states,
    schedules: schedules.readers,
    transitions: createTransitionSource(events, logger),
    guard: guards,
    queries: queries?.handler,
    stateSnapshots: createStateSnapshots(
      createStateOwners({
        bots: { states, engine: botEngine, inTerm, specs },
        schedules: { states: schedules.states, engine: runEngine, inTerm: runOffice.leader.inTerm },
      }),
    ),
    orphans,
    takeover: createTakeover({
      predecessor: parts.predecessor,
      specs,
      inTerm,
      logger,
      onTaken: () => {
        bots.service.resyncSoon();
      },
    }),
    readiness: createReadiness({
      events,
      specs,
      archives,
      engine: botEngine,
      troubles,
      writable: parts.writable,
      leases: [
        { leadership: parts.bots.leadership, leads: botOffice.leader.leads, acts: parts.bots.acts ?? true },
        { leadership: parts.runs.leadership, leads: runOffice.leader.leads, acts: parts.runs.acts ?? true },
      ],
      bus,
      started: () => started,
      orphans,
      states,
    }),
    troubleOf(id, hasContainer) {
      // What a process that does not lead failed at is over.
      const ofBot = botOffice.leader.leads() ? troubles.of(passOf('bot', id)) : undefined;
      const ofSchedule = runOffice.leader.leads() ? troubles.of(passOf('schedule', id)) : undefined;
      const unseen = hasContainer ? (troubles.of(ENGINE_TOPIC) ?? troubles.of(sightOf(id))) : undefined;
      return ofBot ?? ofSchedule ?? unseen;
    },
    async start() {
      folded = await events.head();
      await states.restore();
      await schedules.restore();
      followed = followTransitions({
        events,
        seeds: { bots: states.folds(), ...schedules.seeds() },
        apply: (commit) => {
          states.apply(commit);
          schedules.apply(commit);
        },
        logger,
        clock,
        after: folded,
        tell: tellAll,
        onFolded: (position) => (folded = position),
        signal: following.signal,
      });
      botOffice.start();
      runOffice.start();
      queries?.start();
      started = true;
    },
    async stop(withinMs) {
      await Promise.all([botOffice.stop(withinMs), runOffice.stop(withinMs), queries?.end(withinMs)]);
      // A store that is away must not hold up the end: then the leases run out by themselves.
      await atMost(clock, Promise.all([botOffice.resign(), runOffice.resign()]).catch(ignore), RELEASE_MS);
      following.abort();
      const saved = followed.then(() => Promise.all([states.saveSnapshots(), schedules.saveSnapshots()]));
      await atMost(clock, saved.catch(ignore), RELEASE_MS);
    },
  };
};

/** A fresh id for a request or a commit. */
export const mintId = (): string => randomUUID();
