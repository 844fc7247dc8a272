/** The tools port: short-lived containers beside a bot's volumes, late deliveries, volumes, and the engine's disk. */
import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { DELIVERY_ENV } from '../../domain/delivery.ts';
import { DroverError } from '../../domain/errors.ts';
import { LABEL, SCRATCH_ROLE, TOOL_ROLE, toolName, type InstanceRole } from '../../domain/naming.ts';
import { ownerOf, partsOfRun } from '../../domain/run-id.ts';
import type { ContainerTools, Tool, ToolResult } from '../../ports/container-tools.ts';
import type { StoreAccessSource } from '../../ports/store-access-source.ts';
import { botVolumes, VOLUME_ROLE } from './bot-volumes.ts';
import { createDiskFree } from './disk-free.ts';
import { accessIfAny, deliverFiles, type DeliveredAccess } from './deliver-files.ts';
import { doneAlso, statusOf, toEngineError } from './docker-errors.ts';
import { hardened, tmpfs, USER } from './hardened.ts';
import type { Lane } from './lanes.ts';
import { runContainer } from './run-container.ts';
import { removeLeftoverTools } from './tool-sweep.ts';

export interface ToolsOptions {
  readonly docker: Docker;
  readonly install: string;
  readonly role: InstanceRole;
  readonly network: string;
  readonly access: StoreAccessSource;
  /** For a bot whose document is gone. */
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  /** Makes the network when it is not there. */
  readonly ensureNetwork: () => Promise<void>;
  /** @throws DroverError LEASE_LOST */
  readonly mayAct: () => void;
  /** What containers were given at their start, until they are asked about for the first time. */
  readonly delivered: DeliveredAccess;
  /** Bounds how many containers work at once. */
  readonly lane: Lane;
}

const LIMITS = { memoryMb: 512, pids: 64 };
/** What the runtime needs around its own deadline. */
const MARGIN_MS = 20_000;
const CALL_MS = 30_000;
const SHORT_MS = 120_000;

const keyOf = ({ botId }: Tool): string | undefined => partsOfRun(botId)?.key;

const environment = (tool: Tool, more: Readonly<Record<string, string>>): string[] =>
  Object.entries({
    ...more,
    BOT_ID: ownerOf(tool.botId),
    ...(tool.readsOnly === true ? { [DELIVERY_ENV.stateReadOnly]: keyOf(tool) ?? '' } : {}),
    [DELIVERY_ENV.attempt]: String(tool.attempt),
    [DELIVERY_ENV.incarnation]: String(tool.incarnation),
    [DELIVERY_ENV.syncMs]: String(Math.max(1_000, tool.timeoutMs - MARGIN_MS)),
  }).map(([name, value]) => `${name}=${value}`);

/** The engine makes the volumes of a container before the container itself: those of a moment ago may be in the making. */
const SCRATCH_AGE_MS = 10 * 60_000;

/** The engine says when it made a volume, though its types do not. */
const isLeftOver = (volume: object, now: number): boolean =>
  now - Date.parse(String((volume as { CreatedAt?: unknown }).CreatedAt)) > SCRATCH_AGE_MS;

export const createTools = (options: ToolsOptions): ContainerTools => {
  const { docker, install, role, network, access, image, env, ensureNetwork, mayAct, delivered, lane } = options;
  const embedded = access.kind === 'folder';
  const owner = randomBytes(8).toString('hex');
  /** Names of those that run now. */
  const mine = new Set<string>();

  const toolOptions = (tool: Tool, name: string) => ({
    name,
    Image: tool.image ?? image,
    User: USER,
    Cmd: ['/app/runtime', ...tool.args],
    Env: environment(tool, env),
    Labels: {
      [LABEL.install]: install,
      [LABEL.role]: TOOL_ROLE,
      [LABEL.id]: ownerOf(tool.botId),
      [LABEL.toolOwner]: owner,
      [LABEL.toolFor]: role,
    },
    HostConfig: {
      ...hardened(LIMITS),
      Tmpfs: { '/tmp': tmpfs(64, ',mode=1777') },
      Mounts: botVolumes({
        install,
        id: ownerOf(tool.botId),
        incarnation: tool.incarnation,
        of: role,
        embedded,
        readsOnly: tool.readsOnly === true ? keyOf(tool) : undefined,
      }),
      NetworkMode: network,
    },
  });

  const sweepTools = (botId?: string): Promise<number> =>
    removeLeftoverTools({ docker, install, role, owner, mine, mayAct, now: Date.now(), botId });

  return {
    async runTool(tool): Promise<ToolResult> {
      await ensureNetwork();
      const keys = await accessIfAny(access, ownerOf(tool.botId));
      if (keys === undefined) throw new DroverError('ARCHIVE_UNAVAILABLE', 'the archive store does not answer');
      // What a process that is gone left running on these volumes must not go on beside this one.
      await sweepTools(ownerOf(tool.botId));
      const name = toolName(install, tool.botId, randomBytes(4).toString('hex'));
      mine.add(name);
      try {
        const run = () =>
          runContainer({
            docker,
            mayAct,
            timeoutMs: tool.timeoutMs,
            options: toolOptions(tool, name),
            prepare: async (container, abortSignal) => {
              await deliverFiles(container, { access: keys }, mayAct, abortSignal);
              return true;
            },
          });
        // Short ones are what somebody waits for.
        const result = await (tool.timeoutMs <= SHORT_MS ? lane(run, 'next') : lane(run));
        if (result === undefined) throw new DroverError('INTERNAL', 'the tool was not run');
        return result;
      } finally {
        mine.delete(name);
      }
    },
    removeLeftoverTools: () => sweepTools(),
    async deliverAgain({ id }, { spec }) {
      const keys = await accessIfAny(access, spec.id);
      try {
        const files = { config: spec.config, access: keys };
        await deliverFiles(docker.getContainer(id), files, mayAct, AbortSignal.timeout(CALL_MS));
        delivered.add(id, keys);
      } catch (thrown) {
        throw toEngineError(thrown);
      }
    },
    async renewAccess({ id }, botId) {
      if (embedded) return undefined;
      const sinceStart = delivered.take(id);
      if (sinceStart !== undefined) return sinceStart;
      const keys = await access.accessFor(ownerOf(botId));
      await doneAlso([404, 409], () =>
        deliverFiles(docker.getContainer(id), { access: keys }, mayAct, AbortSignal.timeout(CALL_MS)),
      );
      return keys.kind === 's3' ? keys.expiresAt : undefined;
    },
    async listVolumes() {
      try {
        const label = [`${LABEL.install}=${install}`, `${LABEL.role}=${VOLUME_ROLE[role]}`];
        const { Volumes } = await docker.listVolumes({ filters: { label } });
        return Volumes.flatMap(({ Name: name, Labels }) => {
          const botId = Labels[LABEL.id];
          const incarnation = Number(Labels[LABEL.incarnation]);
          const run = Labels[LABEL.run];
          if (botId === undefined || !Number.isInteger(incarnation)) return [];
          return [{ name, botId, incarnation, ...(run === undefined ? {} : { run }) }];
        });
      } catch (thrown) {
        throw toEngineError(thrown);
      }
    },
    async removeVolume(name) {
      mayAct();
      try {
        await docker.getVolume(name).remove();
      } catch (thrown) {
        if (statusOf(thrown) !== 404) throw toEngineError(thrown);
      }
    },
    async removeScratch() {
      const label = [`${LABEL.install}=${install}`, `${LABEL.role}=${SCRATCH_ROLE}`];
      const { Volumes } = await docker.listVolumes({ filters: { label, dangling: ['true'] } });
      const left = Volumes.filter((volume) => isLeftOver(volume, Date.now()));
      for (const { Name } of left) {
        mayAct();
        await doneAlso([404, 409], () => docker.getVolume(Name).remove());
      }
      return left.length;
    },
    diskFree: createDiskFree({ docker, install, role, owner, image, mine, mayAct }),
  };
};
