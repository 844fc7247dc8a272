/** Changes that several events make in the same way: parts of {@link amend}. */
import type { ContainerIdentity, ExitClass } from '../domain/bot-event.ts';
import type { BotContext, KnownContainer } from '../domain/bot-state.ts';

const KEPT_CRASHES = 50;

/** Classes that count against a bot. A completed run is no crash, a lost engine is not the bot's fault. */
const CRASHES: ReadonlySet<ExitClass> = new Set(['appError', 'oom', 'killedByOthers', 'startError']);
const BLAMELESS: ReadonlySet<ExitClass> = new Set(['stoppedByUs', 'engineLost']);

export const known = ({ ref, attempt, incarnation, generation, specHash }: ContainerIdentity): KnownContainer => ({
  ref,
  attempt,
  incarnation,
  generation,
  specHash,
});

/** One more crash; what the list has no place for is counted. */
const crashed = ({ crashes, earlierCrashes = 0 }: BotContext, at: number): Partial<BotContext> => ({
  crashes: [...crashes, at].slice(-KEPT_CRASHES),
  ...(crashes.length < KEPT_CRASHES ? {} : { earlierCrashes: earlierCrashes + 1 }),
});

export const clearedOfFailures = (at: number, { earlierCrashes }: Partial<BotContext> = {}): Partial<BotContext> => ({
  streak: 0,
  crashes: [],
  ...(earlierCrashes === undefined ? {} : { earlierCrashes: 0 }),
  assess: null,
  notBefore: at,
  holdUntil: null,
  gaveUp: null,
  completed: false,
});

export const ended = (
  context: BotContext,
  exit: { at: number; exitCode: number; class: ExitClass; terminal: boolean; code?: string; detail?: string },
  blameless = false,
): Partial<BotContext> => {
  const { terminal, ...lastExit } = exit;
  const ours = context.stop !== null || BLAMELESS.has(exit.class);
  return {
    lastExit,
    healthy: false,
    runningSince: null,
    streak: ours ? context.streak : context.streak + 1,
    ...(ours || blameless || !CRASHES.has(exit.class) ? {} : crashed(context, exit.at)),
    ...(context.stop === null
      ? { assess: { exitClass: exit.class, exitCode: exit.exitCode, terminal }, notBefore: null, deadline: null }
      : {}),
  };
};

export const neverStarted = (
  context: BotContext,
  failure: { at: number; code: string; detail: string },
  terminal: boolean,
): Partial<BotContext> => ({
  lastFailure: { at: failure.at, code: failure.code, detail: failure.detail },
  streak: context.streak + 1,
  assess: { exitClass: null, exitCode: null, terminal },
  notBefore: null,
  deadline: null,
});

export const withContainer = (context: BotContext, change: Partial<KnownContainer>): Partial<BotContext> =>
  context.container === null ? {} : { container: { ...context.container, ...change } };

export const delivered = (container: KnownContainer | null): KnownContainer | null => {
  if (container === null) return null;
  const { undelivered: _brought, ...rest } = container;
  return rest;
};

/** Only runs remember it: their lateness is told. */
export const firstStart = ({ firstStartedAt }: BotContext, startedAt: number | undefined): Partial<BotContext> =>
  firstStartedAt === null && startedAt !== undefined && startedAt > 0 ? { firstStartedAt: startedAt } : {};
