/** What an operator is told about a bot, read off its state: few conditions, stable reasons (feature A5). */
import { phaseOf, type BotContext, type BotState } from '../domain/bot-state.ts';
import type { Condition } from '../domain/running-bot.ts';
import { storageOf } from './amend-storage.ts';
import { camelCode, pascal } from './reason.ts';
import { storageConditions } from './storage-conditions.ts';

const condition = (
  type: Condition['type'],
  holds: boolean,
  reason: string,
  message: string,
  lastTransitionTime: number,
): Condition => ({ type, status: holds ? 'True' : 'False', reason, message, lastTransitionTime });

const iso = (at: number | null): string => (at === null ? 'now' : new Date(at).toISOString());

const why = ({ lastExit, lastFailure }: BotContext): { reason: string; message: string } => {
  if (lastFailure !== null && lastFailure.at >= (lastExit?.at ?? 0)) {
    return { reason: camelCode(lastFailure.code), message: lastFailure.detail };
  }
  if (lastExit === null) return { reason: 'NeverStarted', message: 'the bot has not run yet' };
  const reason = lastExit.code === undefined ? pascal(lastExit.class) : camelCode(lastExit.code);
  const detail = lastExit.detail === undefined ? '' : `: ${lastExit.detail}`;
  return { reason, message: `the bot ended with exit code ${String(lastExit.exitCode)}${detail}` };
};

const ready = ({ at, context }: BotState): Condition => {
  if (at !== 'running') {
    // Its document may have been disabled since.
    const isDrained = at === 'stopped' && !context.wanted && context.stopReason === 'drained';
    const why = isDrained ? ' by a drain of the fleet; see `drover drain --undo`' : '';
    const message = `the bot is ${phaseOf(at)}${why}`;
    return condition('Ready', false, pascal(phaseOf(at)), message, context.since);
  }
  if (context.container?.paused === true) {
    return condition('Ready', false, 'PausedExternally', 'somebody paused the container', context.since);
  }
  return condition('Ready', true, 'Running', 'the container runs', context.since);
};

const foreignText = (at: BotState['at'], { foreign, foreignInstall }: BotContext): string => {
  const of = (foreignInstall ?? null) === null ? 'the0' : `the install ${foreignInstall ?? ''} of drover`;
  const container = `container ${foreign?.slice(0, 12) ?? ''} of ${of}`;
  return at === 'running'
    ? `${container} runs this bot, too: stop one of the two`
    : `${container} runs this bot; drover waits until it is gone`;
};

const progressing = ({ at, context }: BotState): Condition => {
  switch (at) {
    case 'starting':
    case 'stopping':
      return condition('Progressing', true, pascal(at), `must complete by ${iso(context.deadline)}`, context.since);
    case 'failed.backingOff':
      if (storageOf(context).pressure !== undefined) break;
      return condition('Progressing', true, 'BackingOff', `drover retries at ${iso(context.notBefore)}`, context.since);
    default:
      break;
  }
  const free = storageOf(context).pressure;
  if (free !== undefined) {
    const message = `the start waits for disk space: ${(100 * free).toFixed(1)} % of the disk under the engine is free`;
    return condition('Progressing', false, 'HostPressure', message, context.since);
  }
  return context.foreign === null
    ? condition('Progressing', false, 'AtRest', 'no action is planned', context.since)
    : condition('Progressing', false, 'ForeignInstance', foreignText(at, context), context.since);
};

const degraded = (state: BotState): Condition => {
  const { at, context } = state;
  const { reason, message } = why(context);
  if (at === 'failed.exhausted') {
    const gaveUp = context.gaveUp === 'crashLoop' ? 'CrashLoop' : reason;
    return condition(
      'Degraded',
      true,
      gaveUp,
      `${message}; drover does not retry until the bot is reset or its spec changes`,
      context.since,
    );
  }
  const isFailing = at === 'failed.backingOff' || (context.lastFailure !== null && at !== 'deleted');
  // Between two crashes it runs, too: it is well again only once it has run for HEALTHY_AFTER, which ends the streak.
  const isLost = context.lastExit?.class === 'engineLost' && !context.healthy;
  const isFailingAgain = context.streak > 0 && context.lastExit?.class !== 'stoppedByUs';
  const isRestarted = (isLost || isFailingAgain) && (at === 'starting' || at === 'running');
  if (isFailing || isRestarted) {
    const times = context.streak > 1 ? `; ${String(context.streak)} failures in a row` : '';
    return condition('Degraded', true, reason, `${message}${times}`, context.since);
  }
  return context.completed
    ? condition(
        'Degraded',
        false,
        'Completed',
        'the bot ended by itself, and its restart policy does not restart it',
        context.since,
      )
    : condition('Degraded', false, 'AsWished', 'nothing is wrong', context.since);
};

const specValid = ({ context }: BotState): Condition =>
  context.rejected === null
    ? condition('SpecValid', true, 'Accepted', `generation ${String(context.generation)}`, context.since)
    : condition('SpecValid', false, camelCode(context.rejected.code), context.rejected.reason, context.since);

/** Present only when something is missing. */
const codeComplete = ({ context }: BotState): readonly Condition[] => {
  const { skippedCode } = storageOf(context);
  if (skippedCode === undefined || context.container?.ref.id !== skippedCode.by) return [];
  const { skipped, entries, since } = skippedCode;
  const more = skipped > entries.length ? `; and ${String(skipped - entries.length)} more` : '';
  return [condition('CodeComplete', false, 'EntriesSkipped', `not unpacked: ${entries.join('; ')}${more}`, since)];
};

/** All conditions of a bot. */
export const conditionsOf = (state: BotState): readonly Condition[] => [
  ready(state),
  progressing(state),
  degraded(state),
  specValid(state),
  ...codeComplete(state),
  ...storageConditions(state),
];
