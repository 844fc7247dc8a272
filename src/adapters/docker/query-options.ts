/** What the engine is asked to create for an ephemeral query (contract §5 and §8.2, without their secrets). Pure. */
import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import { LABEL, QUERY_ROLE } from '../../domain/naming.ts';
import type { QueryPlan } from '../../ports/query-containers.ts';
import { codeVolume, scratchVolumes } from './bot-volumes.ts';
import { commonEnv, envLines } from './container-env.ts';
import { gateway, hardened, tmpfs, USER } from './hardened.ts';
import type { QueryMounts } from './query-mounts.ts';

export interface QuerySettings {
  readonly install: string;
  readonly network: string;
  /** host.docker.internal only for those who ask for it. */
  readonly hostGateway: boolean;
  /** For a bot whose spec names none. */
  readonly image: string;
  /** More of the container's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Random, of this process: who asks these containers. */
  readonly owner: string;
}

const MIB = 1024 * 1024;

export const imageOf = ({ spec }: QueryPlan, { image }: Pick<QuerySettings, 'image'>): string =>
  spec.image === '' ? image : spec.image;

const environment = ({ spec, incarnation, digest }: QueryPlan, env: QuerySettings['env']): string[] =>
  envLines([
    ...commonEnv({
      spec,
      incarnation,
      codeDigest: digest,
      entrypoint: spec.entrypoints.query ?? '',
      entrypointType: 'query',
      // Also of a realtime bot: its SDK would open a server otherwise (contract §1.2).
      botType: 'scheduled',
    }),
    ...Object.entries(env),
  ]);

export const queryOptions = (
  plan: QueryPlan,
  settings: QuerySettings,
  { name, mounts }: { readonly name: string; readonly mounts: QueryMounts['mounts'] },
): ContainerCreateOptions & { name: string } => {
  const { spec, maxReplyBytes } = plan;
  const { install, network, hostGateway, env, owner } = settings;
  const hostConfig: HostConfig = {
    ...hardened(spec.limits),
    // Standard output carries replies: they must not be written to the engine's disk.
    LogConfig: { Type: 'none', Config: {} },
    Tmpfs: {
      '/query': tmpfs(Math.ceil(maxReplyBytes / MIB) + 1),
      '/var/the0': tmpfs(16),
    },
    Mounts: [...mounts, codeVolume(install, true), ...scratchVolumes(install)],
    NetworkMode: network,
    ...gateway(hostGateway),
    CpuShares: spec.limits.cpuShares,
  };
  return {
    name,
    Image: imageOf(plan, settings),
    Cmd: ['/app/runtime', 'query'],
    User: USER,
    WorkingDir: '/tmp',
    StopSignal: 'SIGTERM',
    StopTimeout: 1,
    Env: environment(plan, env),
    Labels: {
      [LABEL.managed]: 'true',
      [LABEL.id]: spec.id,
      [LABEL.entrypoint]: spec.entrypoints.query ?? '',
      [LABEL.type]: 'scheduled',
      [LABEL.install]: install,
      [LABEL.role]: QUERY_ROLE,
      [LABEL.queryOwner]: owner,
    },
    // Its standard input closes with the one connection to it: a process that dies leaves none that waits for ever.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    HostConfig: hostConfig,
  };
};
