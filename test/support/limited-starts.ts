/** A scripted engine that takes its time, with the lane for starts that the real adapter has. */
import { createLane } from '../../src/adapters/docker/lanes.ts';
import type { Engine } from '../../src/ports/container-tools.ts';

export interface LimitedStarts {
  readonly engine: Engine;
  /** Creations and starts in flight at once, at most, so far. */
  most(): number;
  /** Creations that were asked for, by name. */
  readonly created: ReadonlyMap<string, number>;
}

/** `width`: DOCKER_STARTS_IN_FLIGHT. `takes`: one call, from when it is let in until it is made. */
export const limitStarts = (engine: Engine, width: number, takes: () => Promise<void>): LimitedStarts => {
  const lane = createLane({ name: 'start', width, deadlineMs: 60_000 });
  const created = new Map<string, number>();
  let inFlight = 0;
  let most = 0;
  const taking = <T>(call: () => Promise<T>): Promise<T> =>
    lane(async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await takes();
      try {
        return await call();
      } finally {
        inFlight -= 1;
      }
    });
  return {
    most: () => most,
    created,
    engine: {
      ...engine,
      ensureContainer: (plan) => {
        const name = `${plan.spec.id}/${plan.run?.key ?? ''}`;
        created.set(name, (created.get(name) ?? 0) + 1);
        return taking(() => engine.ensureContainer(plan));
      },
      ensureStarted: (ref, plan) => taking(() => engine.ensureStarted(ref, plan)),
    },
  };
};
