/** Does a bot differ from what the resync's one list and one read show? Only those that do are woken. */
import type { Desired } from '../domain/bot.ts';
import type { BotState } from '../domain/bot-state.ts';
import { isLive, type ForeignRef, type ListedContainer } from '../domain/observation.ts';
import { clockBehind } from '../machines/clock-behind.ts';
import { initialState } from '../machines/evolve.ts';
import { noteWish } from '../machines/note-wish.ts';
import { namesForeign } from '../machines/sense.ts';

const isDue = (moment: number | null, now: number): boolean => moment !== null && moment <= now;

/** A timer of this state has run out and nobody took it up. */
const overdue = ({ at, context }: BotState, now: number): boolean => {
  switch (at) {
    case 'starting':
      return isDue(context.deadline, now);
    case 'stopping':
      return isDue(context.deadline, now) || (context.stop?.killSent === false && isDue(context.stop.killAt, now));
    case 'failed.backingOff':
      return context.assess !== null || isDue(context.notBefore, now);
    default:
      return false;
  }
};

const containerDiffers = ({ at, context }: BotState, listed: ListedContainer | undefined): boolean => {
  const known = context.container;
  if (listed === undefined) return known !== null;
  if (known?.ref.id !== listed.ref.id) return true;
  if (known.exited === true) return isLive(listed.status) || at !== 'failed.backingOff';
  if (!isLive(listed.status)) return true;
  return at === 'running' && (listed.status === 'paused') !== (known.paused === true);
};

/** At rest or in between though it should be going somewhere: what it waited for may have happened unheard. */
const unsettled = ({ at, context }: BotState): boolean =>
  at === 'starting' || (at === 'stopped' && (context.deleting || (context.wanted && !context.completed)));

/** At rest, and a sync from its volume is due. */
const waitsOnVolume = ({ at, context }: BotState, now: number): boolean =>
  (at === 'stopped' || at === 'failed.exhausted' || at === 'deleted') &&
  isDue(context.storage?.unsynced?.retryAt ?? null, now);

export const needsLook = (
  state: BotState | undefined,
  desired: Desired,
  listed: ListedContainer | undefined,
  now: number,
  /** Of this bot; undefined: nobody looked. */
  foreign?: readonly ForeignRef[],
): boolean => {
  const known = state ?? initialState;
  if (noteWish(known, desired, now) !== undefined) return true;
  if (known.context.incarnation === 0) return false;
  if (clockBehind(known.context, now) !== undefined) return true;
  if (foreign !== undefined && !namesForeign(known, foreign)) return true;
  return containerDiffers(known, listed) || unsettled(known) || overdue(known, now) || waitsOnVolume(known, now);
};
