/** The engine port over dockerode. Thin: it translates words and errors and decides nothing. */
import type Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import { unlessAborted } from '../../domain/unless-aborted.ts';
import { asideName, containerName, LABEL, readTags, type InstanceRole } from '../../domain/naming.ts';
import { instanceId } from '../../domain/run-id.ts';
import type { ListedContainer, ObservedContainer } from '../../domain/observation.ts';
import type { ArchiveStore, CodeDigest } from '../../ports/archive-store.ts';
import type { ContainerPlan } from '../../domain/effect.ts';
import type { ContainerEngine } from '../../ports/container-engine.ts';
import type { Engine } from '../../ports/container-tools.ts';
import type { StoreAccessSource } from '../../ports/store-access-source.ts';
import { createCodeCache, FILL_TIMEOUT_MS } from './code-cache.ts';
import { createOptions, type CreateSettings } from './create-options.ts';
import { accessIfAny, createDeliveredAccess, deliverFiles } from './deliver-files.ts';
import { doneAlso, statusOf, toEngineError } from './docker-errors.ts';
import { createEngineGaps } from './engine-gaps.ts';
import { createEngineRestarts } from './engine-restarts.ts';
import { createForeign } from './foreign.ts';
import { createPuller } from './image.ts';
import { createLane } from './lanes.ts';
import { checkNetwork, ensureAnyNetwork, ensureNetwork } from './network.ts';
import { observeBot, toStatus } from './observe.ts';
import { createSyncReportReader } from './sync-report.ts';
import { createTools } from './tools.ts';
import { watchEngine } from './watch.ts';

export interface DockerEngineOptions extends CreateSettings {
  readonly docker: Docker;
  /** Which kind this one keeps: that of the other is never listed, and its events are not told. */
  readonly role: InstanceRole;
  readonly archives: ArchiveStore;
  /** Keys for the bots' own parts of the archive store. */
  readonly access: StoreAccessSource;
  /** For short-lived containers of a bot whose document is gone. */
  readonly image: string;
  readonly startsInFlight: number;
  /**
   * Asked before every call that changes something: only who leads may act.
   * @throws DroverError LEASE_LOST
   */
  readonly mayAct: () => void;
  /** Bots run beside those that other installs of drover run under the same id. */
  readonly besideOthers?: boolean;
  /** Deadline of a call that changes something, ms; reads have a third of it. */
  readonly deadlineMs?: number;
  readonly idleMs?: number;
}

/**
 * A bot is asked for its report from its start on: where its state came from is a condition of it. A run says all of that at
 * its end; only a long one is asked before, because a thousand short ones at once would be asked for nothing.
 */
const REPORT_AFTER_MS: Readonly<Record<InstanceRole, number>> = { bot: 0, run: 60_000 };

export const createDockerEngine = (options: DockerEngineOptions): Engine => {
  const { docker, role, archives, access, mayAct, install, deadlineMs = 30_000, idleMs = 30_000 } = options;
  const { besideOthers = false } = options;
  // Starts have a lane of their own: more than a few at once are slower, and stops never wait behind them (feature B10).
  const starts = createLane({ name: 'start', width: options.startsInFlight, deadlineMs: deadlineMs * 2 });
  const stops = createLane({ name: 'stop', width: 16, deadlineMs });
  const reads = createLane({ name: 'read', width: 32, deadlineMs: deadlineMs / 3 });
  const gaps = createEngineGaps();
  const pull = createPuller(docker);
  // As many as starts: beside them, because a slow archive store must not hold up the starts of others.
  const tooling = createLane({
    name: 'tool',
    width: options.startsInFlight,
    deadlineMs: FILL_TIMEOUT_MS + deadlineMs * 2,
  });
  const fills = createLane({
    name: 'fill',
    width: options.startsInFlight,
    deadlineMs: FILL_TIMEOUT_MS + deadlineMs * 2,
  });
  const codeCache = createCodeCache({
    docker,
    install,
    filler: role,
    archives,
    image: options.image,
    pull,
    lane: fills,
    idleMs,
    mayAct,
  });
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
  const foreign = createForeign({ docker, install, role, node, besideOthers });
  const context = {
    docker,
    install,
    node,
    gaps,
    endedWithEngine: createEngineRestarts(docker),
    foreign,
    syncReport: createSyncReportReader(docker),
    reportAfterMs: REPORT_AFTER_MS[role],
  };
  const ping = async (): Promise<void> => {
    await reads(() => docker.ping());
  };

  /** 409 on create: the name is taken. By us, and then the next look finds it; by its own removal; or by a stranger. */
  const whoHasName = async (plan: Parameters<ContainerEngine['ensureContainer']>[0]): Promise<void> => {
    const seen = await observeBot(context, instanceId(plan));
    if (seen.kind === 'present') {
      if (seen.container.status !== 'removing') return;
      throw new DroverError('NAME_BUSY', 'the previous container is still being removed');
    }
    if (seen.kind === 'absent') throw new DroverError('NAME_BUSY', 'the name of the container is not free yet');
    throw new DroverError('NAME_TAKEN', `another container is called ${containerName(install, instanceId(plan))}`);
  };

  /**
   * The archive that this start is decided on. A store that does not answer leaves the one the same spec was last run with
   * (fault R10).
   */
  const pin = async ({ spec, knownDigest }: ContainerPlan): Promise<string> => {
    const { filePath } = spec.code;
    let found: CodeDigest | undefined;
    try {
      found = await archives.digestOfCode(filePath);
    } catch (thrown) {
      const isAway = thrown instanceof DroverError && thrown.code === 'ARCHIVE_UNAVAILABLE';
      if (!isAway || knownDigest === undefined) throw thrown;
      return knownDigest;
    }
    if (found === undefined) throw new DroverError('ARCHIVE_MISSING', `there is no code archive at ${filePath}`);
    return found.sha256;
  };

  const create = async (plan: ContainerPlan, codeDigest: string, abortSignal: AbortSignal): Promise<void> => {
    await ensureNetwork(docker, options.network, mayAct);
    // Its turn was told that this failed: what comes now would be nobody's wish.
    abortSignal.throwIfAborted();
    try {
      mayAct();
      const facts = { codeDigest, embedded: access.kind === 'folder' };
      await docker.createContainer({ ...createOptions(plan, options, facts), abortSignal });
    } catch (thrown) {
      if (statusOf(thrown) === 409) return whoHasName(plan);
      throw toEngineError(thrown);
    }
  };

  const delivered = createDeliveredAccess();
  const tools = createTools({
    docker,
    delivered,
    install,
    role,
    network: options.network,
    access,
    image: options.image,
    env: options.env ?? {},
    lane: tooling,
    ensureNetwork: () => ensureAnyNetwork(docker, options.network, mayAct),
    mayAct,
  });

  /** What the cache holds is not what it should: it is brought again before the next start. */
  const forgetBadCode = ({ codeDigest, exit }: ObservedContainer): void => {
    if (codeDigest !== undefined && exit?.report?.error?.code === 'CODE_NOT_CACHED') codeCache.forget(codeDigest);
  };

  return {
    ...tools,
    ping,
    checkNetwork: () =>
      reads(async () => {
        await checkNetwork(docker, options.network);
      }),
    async observe(id) {
      try {
        const seen = await reads(() => observeBot(context, id));
        if (seen.kind === 'present') forgetBadCode(seen.container);
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
        const filters = { label: [`${LABEL.install}=${install}`, `${LABEL.role}=${role}`] };
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
    listForeign: () => reads(() => foreign.all()),
    async ensureContainer(plan, signal = new AbortController().signal) {
      const { spec } = plan;
      // Outside the lane: an archive store that is slow must not hold up the starts of others.
      const digest = await unlessAborted(pin(plan), signal);
      const make = async (): Promise<void> => {
        // Others may wait for the same code: it goes on.
        await unlessAborted(codeCache.ensure(digest, spec.code.filePath), signal);
        await starts((abortSignal) => create(plan, digest, abortSignal), { unless: signal });
      };
      try {
        await make();
      } catch (error) {
        if (!(error instanceof DroverError) || error.code !== 'IMAGE_UNAVAILABLE') throw error;
        // Outside the lane: a slow registry must not hold up the starts of those whose image is there.
        mayAct();
        await unlessAborted(pull(spec.image), signal);
        await make();
      }
    },
    async ensureStarted({ id }, { spec }) {
      const container = docker.getContainer(id);
      // Only what never ran: one that ran and ended meanwhile is left to the next look, with its exit.
      const neverRan = async (abortSignal: AbortSignal): Promise<boolean> =>
        (await container.inspect({ abortSignal })).State.Status === 'created';
      const keys = await accessIfAny(access, spec.id);
      await starts(async (abortSignal) => {
        if (!(await neverRan(abortSignal))) return;
        await deliverFiles(container, { config: spec.config, access: keys }, mayAct, abortSignal);
        delivered.add(id, keys);
        mayAct();
        await doneAlso([304], () => container.start({ abortSignal }));
        // Of many that are due at once each runs as soon as it is made, not when all of them are.
      }, 'next');
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
        // With the volumes that have no name: code and `/tmp` go with their container.
        await doneAlso([404], () => docker.getContainer(id).remove({ force, v: true, abortSignal }));
        delivered.take(id);
      }),
    ensureSetAside: ({ id }) =>
      stops(async (abortSignal) => {
        const container = docker.getContainer(id);
        const { State, Name } = await container.inspect({ abortSignal });
        if (State.Running || State.Pid !== 0)
          throw new DroverError('CONTAINER_STUCK', 'the container still has a process');
        mayAct();
        await container.rename({ name: asideName(Name.slice(1), id), abortSignal });
      }),
    watch(watch, signal) {
      void watchEngine({ docker, install, role, besideOthers, gaps, ping, idleMs }, watch, signal);
    },
  };
};
