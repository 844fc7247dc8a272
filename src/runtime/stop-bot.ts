/** How a bot is asked to end: its hook, SIGTERM, its grace, SIGKILL to all of it (features C6, C7). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExitReport } from '../domain/observation.ts';
import type { ProcessGroup } from './process-group.ts';

export type HookEnd = NonNullable<ExitReport['hook']>;

/** Longest wait that keeps nobody alive by itself. */
const after = (ms: number): Promise<'late'> => sleep(ms, 'late' as const, { ref: false });

/** Runs the stop hook to its end or its deadline. Never rejects: a hook that fails must not keep a bot from ending. */
export const runHook = async (
  start: () => ProcessGroup,
  deadlineMs: number,
  urgent: Promise<void>,
): Promise<HookEnd> => {
  try {
    const hook = start();
    const end = await Promise.race([hook.ended, after(deadlineMs), urgent.then(() => 'late' as const)]);
    if (end !== 'late') return end;
    hook.killAll();
    await hook.ended;
    return { timedOut: true };
  } catch {
    return { code: 127 };
  }
};

/** SIGTERM, the grace, SIGKILL. Resolves once the bot ended, or is sure to. */
export const endBot = async (
  bot: ProcessGroup,
  signal: NodeJS.Signals,
  graceMs: number,
  urgent: Promise<void>,
): Promise<void> => {
  bot.signal(signal);
  const ended = bot.ended.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([ended, after(graceMs), urgent]);
  bot.killAll();
};
