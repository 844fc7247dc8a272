/** The engine port over dockerode. Thin: it translates words and errors and decides nothing. */
import type Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import { asideName, containerName, LABEL, readTags } from '../../domain/naming.ts';
import type { ListedContainer } from '../../domain/observation.ts';
import type { ArchiveStore } from '../../ports/archive-store.ts';
import type { ContainerPlan } from '../../domain/effect.ts';
import type { ContainerEngine } from '../../ports/container-engine.ts';
import { createOptions, type CreateSettings } from './create-options.ts';
import { archiveMissing, deliver } from './deliver.ts';
import { doneAlso, statusOf, textOf, toEngineError } from './docker-errors.ts';
import { createEngineGaps } from './engine-gaps.ts';
import { createPuller } from './image.ts';
import { createLane } from './lanes.ts';
import { ensureNetwork } from './network.ts';
import { observeBot, toStatus } from './observe.ts';
import { createSyncReportReader } from './sync-report.ts';
import { watchEngine } from './watch.ts';

export interface DockerEngineOptions extends CreateSettings {
  readonly docker: Docker;
  readonly archives: ArchiveStore;
  readonly startsInFlight: number;
  /**
   * Asked before every call that changes something: only who leads may act (architecture §3).
   * @throws DroverError LEASE_LOST
   */
  readonly mayAct: () => void;
  /** Deadline of a call that changes something, ms; reads have a third of it. */
  readonly deadlineMs?: number;
  readonly idleMs?: number;
}

/** Nothing takes longer; a stream that stands still is given up much earlier. */
const DELIVERY_MS = 15 * 60_000;

export const createDockerEngine = (options: DockerEngineOptions): ContainerEngine => {
  const { docker, archives, mayAct, install, deadlineMs = 30_000, idleMs = 30_000 } = options;
  // Starts have a lane of their own: more than a few at once are slower, and stops never wait behind them (feature B10).
  const starts = createLane({ name: 'start', width: options.startsInFlight, deadlineMs: deadlineMs * 2 });
  // Bounded by its own idle watch: a large archive over a slow line is no fault.
  const deliveries = createLane({ name: 'delivery', width: options.startsInFlight, deadlineMs: DELIVERY_MS });
  const stops = createLane({ name: 'stop', width: 16, deadlineMs });
  const reads = createLane({ name: 'read', width: 32, deadlineMs: deadlineMs / 3 });
  const gaps = createEngineGaps();
  const pull = createPuller(docker);
  let nodeName: Promise<string> | undefined;
  const node = (): Promise<string> => {
    nodeName ??= docker.info().then(
      (info: { ID?: string; Name?: string }) => info.Name ?? info.ID ?? 'local',
      (error: unknown) => {
        nodeName = undefined;
        throw error;
      },
    );
    return nodeName;
  };
  const context = { docker, install, node, gaps, syncReport: createSyncReportReader(docker) };
  const ping = async (): Promise<void> => {
    await reads(() => docker.ping());
  };

  /** 409 on create: the name is taken. By us, and then the next look finds it; by its own removal; or by a stranger. */
  const whoHasName = async (plan: Parameters<ContainerEngine['ensureContainer']>[0]): Promise<void> => {
    const seen = await observeBot(context, plan.spec.id);
    if (seen.kind === 'present') {
      if (seen.container.status !== 'removing') return;
      throw new DroverError('NAME_BUSY', 'the previous container is still being removed');
    }
    if (seen.kind === 'absent') throw new DroverError('NAME_BUSY', 'its name is not free yet');
    throw new DroverError('NAME_TAKEN', `another container is called ${containerName(install, plan.spec.id)}`);
  };

  const create = async (plan: ContainerPlan, abortSignal: AbortSignal): Promise<void> => {
    await ensureNetwork(docker, options.network, mayAct);
    // Its turn was told that this failed: what comes now would be nobody's wish.
    abortSignal.throwIfAborted();
    try {
      mayAct();
      await docker.createContainer({ ...createOptions(plan, options), abortSignal });
    } catch (thrown) {
      if (statusOf(thrown) === 409) return whoHasName(plan);
      if (statusOf(thrown) === 404 && /no such image/i.test(textOf(thrown))) {
        throw new DroverError('IMAGE_UNAVAILABLE', textOf(thrown), { cause: thrown });
      }
      throw toEngineError(thrown);
    }
  };

  return {
    ping,
    async observe(id) {
      try {
        const seen = await reads(() => observeBot(context, id));
        gaps.answered(Date.now());
        return seen;
      } catch (thrown) {
        const error = toEngineError(thrown);
        if (error.code === 'ENGINE_UNAVAILABLE') gaps.refused(Date.now());
        return { kind: 'unknown', reason: error.message };
      }
    },
    list: () =>
      reads(async (abortSignal) => {
        const filters = { label: [`${LABEL.install}=${install}`, `${LABEL.role}=bot`] };
        const [onNode, found] = await Promise.all([node(), docker.listContainers({ all: true, filters, abortSignal })]);
        return found.flatMap(({ Id, Names, State, Labels }): ListedContainer[] => {
          const tags = readTags(Labels);
          if (tags === undefined) return [];
          const { botId, specHash, attempt } = tags;
          const name = containerName(install, botId);
          const named = Names.includes(`/${name}`);
          const aside = Names.includes(`/${asideName(name, Id)}`);
          return [{ ref: { node: onNode, id: Id }, botId, status: toStatus(State), specHash, attempt, named, aside }];
        });
      }),
    async ensureContainer(plan) {
      const { filePath } = plan.spec.code;
      // Outside the lane: an archive store that is slow must not hold up the starts of others.
      if ((await archives.sizeOfCode(filePath)) === undefined) throw archiveMissing(filePath);
      try {
        await starts((abortSignal) => create(plan, abortSignal));
      } catch (error) {
        if (!(error instanceof DroverError) || error.code !== 'IMAGE_UNAVAILABLE') throw error;
        // Outside the lane: a slow registry must not hold up the starts of those whose image is there.
        mayAct();
        await pull(plan.spec.image);
        await starts((abortSignal) => create(plan, abortSignal));
      }
    },
    async ensureStarted({ id }, { spec }) {
      const container = docker.getContainer(id);
      // Only what never ran: one that ran and ended meanwhile is left to the next look, with its exit.
      const neverRan = async (abortSignal: AbortSignal): Promise<boolean> =>
        (await container.inspect({ abortSignal })).State.Status === 'created';
      if (!(await reads(neverRan))) return;
      await deliveries((abortSignal) => {
        mayAct();
        return deliver({ container, spec, archives, idleMs: deadlineMs, abortSignal });
      });
      await starts(async (abortSignal) => {
        if (!(await neverRan(abortSignal))) return;
        mayAct();
        await doneAlso([304], () => container.start({ abortSignal }));
      });
    },
    ensureSignalled: ({ id }, signal) =>
      stops(async (abortSignal) => {
        const container = docker.getContainer(id);
        const info = await container.inspect({ abortSignal }).catch((thrown: unknown) => {
          if (statusOf(thrown) === 404) return undefined;
          throw thrown;
        });
        if (info === undefined) return;
        // A frozen process hears nothing, and this engine refuses to signal it.
        mayAct();
        if (info.State.Paused) await doneAlso([404, 409, 500], () => container.unpause({ abortSignal }));
        mayAct();
        await doneAlso([304, 404, 409], () => container.kill({ signal, abortSignal }));
      }),
    ensureRemoved: ({ id }, force) =>
      stops(async (abortSignal) => {
        mayAct();
        await doneAlso([404], () => docker.getContainer(id).remove({ force, v: false, abortSignal }));
      }),
    ensureSetAside: ({ id }) =>
      stops(async (abortSignal) => {
        const container = docker.getContainer(id);
        const { State, Name } = await container.inspect({ abortSignal });
        if (State.Running || State.Pid !== 0) throw new DroverError('CONTAINER_STUCK', 'it still has a process');
        mayAct();
        await container.rename({ name: asideName(Name.slice(1), id), abortSignal });
      }),
    watch(watch, signal) {
      void watchEngine({ docker, install, gaps, ping, idleMs }, watch, signal);
    },
  };
};
