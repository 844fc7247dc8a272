/**
 * One look, decided: facts, then intents, then what to do and when to look again. Pure. Time, chance and policy are
 * arguments; causes are never read.
 */
import type { BotEvent } from '../domain/bot-event.ts';
import type { BotState } from '../domain/bot-state.ts';
import type { Effect } from '../domain/effect.ts';
import { converge } from './converge.ts';
import { effectsOf } from './effects-of.ts';
import { evolve } from './evolve.ts';
import { intend, type Circumstances } from './intend.ts';
import { noteWish } from './note-wish.ts';
import { inPortion } from './requests.ts';
import { sense } from './sense.ts';
import { wakeAfter } from './wake-after.ts';

export interface Plan {
  readonly events: readonly BotEvent[];
  /** To be asked of the engine once the events are durable. */
  readonly effects: readonly Effect[];
  /** The state with the events folded in. */
  readonly state: BotState;
  /** Something is left to be decided: look again at once. */
  readonly again: boolean;
  /** Look again after this many ms, also when nothing happens; undefined when only a signal can change anything. */
  readonly wakeAfterMs: number | undefined;
}

/** Of one commit. What is beyond it is decided by the next pass. */
const MAX_EVENTS = 80;

/** @throws DroverError EVENT_ILLEGAL or INTERNAL when the rules contradict the statechart: nothing is done then */
export const plan = (state: BotState, circumstances: Circumstances): Plan => {
  const { given, more } = inPortion(state.context.requests, circumstances);
  const { desired, observation, now } = given;
  const planned = converge<BotState, BotEvent>(state, {
    next: (folded) => noteWish(folded, desired, now) ?? sense(folded, observation, now) ?? intend(folded, given),
    evolve,
    most: MAX_EVENTS,
  });
  const { events, state: folded } = planned;
  return {
    events,
    // Nothing is done before all that is known is decided.
    effects: planned.more ? [] : effectsOf(folded, desired, observation, now),
    state: folded,
    again: planned.more || (more && events.length > 0),
    wakeAfterMs: wakeAfter(folded, given),
  };
};
