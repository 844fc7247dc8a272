/** BotService: the loop over realtime bots, woken by the spec store, the engine, timers and the tick. */
import type { ContainerEngine } from '../ports/container-engine.ts';
import type { SpecStore } from '../ports/spec-store.ts';
import { createControlLoop, type ControlLoop, type ControlLoopOptions } from './control-loop.ts';
import type { ServiceState } from './service-state.ts';
import { dockerSource } from './sources/docker.ts';
import { specSource } from './sources/specs.ts';

export interface BotServiceDependencies extends Omit<ControlLoopOptions, 'what' | 'sources' | 'counters' | 'failures'> {
  readonly engine: ContainerEngine;
  readonly specs: SpecStore;
  readonly states: ServiceState;
}

export type BotService = ControlLoop;

export const createBotService = ({ engine, specs, states, ...loop }: BotServiceDependencies): BotService =>
  createControlLoop({
    ...loop,
    what: 'bot',
    counters: states.counters,
    failures: states.failures,
    sources: (ask) => [specSource(specs, ask), dockerSource(engine, loop.logger, ask)],
  });
