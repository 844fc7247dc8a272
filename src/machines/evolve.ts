/** The strict fold: an event its state cannot take throws, because a lenient one would hide a broken log. */
import { transition } from 'xstate';
import type { BotEvent } from '../domain/bot-event.ts';
import type { BotState, StatePath } from '../domain/bot-state.ts';
import { DroverError } from '../domain/errors.ts';
import { emptyContext } from './empty-context.ts';
import { botMachine } from './bot-machine.ts';

export const initialState: BotState = { at: 'stopped', context: emptyContext };

type MachineSnapshot = ReturnType<typeof botMachine.resolveState>;
type MachineValue = MachineSnapshot['value'];

const toValue = (at: StatePath): MachineValue =>
  at === 'failed.backingOff' ? { failed: 'backingOff' } : at === 'failed.exhausted' ? { failed: 'exhausted' } : at;

const toPath = (value: MachineValue): StatePath => (typeof value === 'string' ? value : `failed.${value.failed}`);

const restore = (state: BotState): MachineSnapshot =>
  botMachine.resolveState({ value: toValue(state.at), context: state.context });

/** May `event` happen in this state? */
export const accepts = (state: BotState, event: BotEvent): boolean => restore(state).can(event);

/**
 * The state after one event.
 * @throws DroverError EVENT_ILLEGAL when the state cannot take it (fault R48: fail closed)
 */
export const evolve = (state: BotState, event: BotEvent): BotState => {
  const snapshot = restore(state);
  if (!snapshot.can(event)) {
    throw new DroverError('EVENT_ILLEGAL', `${event.type} cannot happen in ${state.at}`);
  }
  const [next] = transition(botMachine, snapshot, event);
  return { at: toPath(next.value), context: next.context };
};

/** The state after many events. @throws as {@link evolve} */
export const fold = (state: BotState, events: Iterable<BotEvent>): BotState => {
  let folded = state;
  for (const event of events) folded = evolve(folded, event);
  return folded;
};
