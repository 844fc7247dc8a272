/**
 * One look, decided: facts, then intents, then what to do and when to look again. Pure. Time, chance and policy are
 * arguments; causes are never read.
 */
import type { BotEvent } from '../domain/bot-event.ts';
import type { BotState } from '../domain/bot-state.ts';
import type { Effect } from '../domain/effect.ts';
import { DroverError } from '../domain/errors.ts';
import { effectsOf } from './effects-of.ts';
import { evolve } from './evolve.ts';
import { intend, type Circumstances } from './intend.ts';
import { noteWish } from './note-wish.ts';
import { sense } from './sense.ts';
import { wakeAfter } from './wake-after.ts';

export interface Plan {
  readonly events: readonly BotEvent[];
  /** To be asked of the engine once the events are durable. */
  readonly effects: readonly Effect[];
  /** The state with the events folded in. */
  readonly state: BotState;
  /** Look again after this many ms, also when nothing happens; undefined when only a signal can change anything. */
  readonly wakeAfterMs: number | undefined;
}

/** More than any honest look needs; a rule that never comes to rest is a defect and must not hang the loop. */
const MAX_EVENTS = 40;

/** @throws DroverError EVENT_ILLEGAL or INTERNAL when the rules contradict the statechart: nothing is done then */
export const plan = (state: BotState, given: Circumstances): Plan => {
  const events: BotEvent[] = [];
  let folded = state;
  for (;;) {
    const next =
      noteWish(folded, given.desired, given.now) ??
      sense(folded, given.observation, given.now) ??
      intend(folded, given);
    if (next === undefined) break;
    if (events.length >= MAX_EVENTS) {
      throw new DroverError('INTERNAL', `the plan does not converge: ${next.type} in ${folded.at}`);
    }
    folded = evolve(folded, next);
    events.push(next);
  }
  return {
    events,
    effects: effectsOf(folded, given.desired, given.observation, given.now),
    state: folded,
    wakeAfterMs: wakeAfter(folded, given),
  };
};
