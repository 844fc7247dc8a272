/** Contract §5 with its list of deliberate deviations: ContainerPlan and settings → what the engine is asked to create. Pure. */
import type { ContainerCreateOptions } from 'dockerode';
import { stopBudgetMs } from '../../domain/bot.ts';
import { DELIVERY_ENV } from '../../domain/delivery.ts';
import type { ContainerPlan } from '../../domain/effect.ts';
import { instanceId } from '../../domain/run-id.ts';
import { containerName, writeTags } from '../../domain/naming.ts';
import { botVolumes, codeVolume } from './bot-volumes.ts';
import { hardened, tmpfs, USER } from './hardened.ts';

export interface CreateSettings {
  readonly install: string;
  readonly network: string;
  /** host.docker.internal only for those who ask for it. */
  readonly hostGateway: boolean;
  /** The reference's way: configuration in the container's environment, for all who inspect it to read. */
  readonly configInEnv: boolean;
  /** More of the container's environment: limits of state, a publish-only bus. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Beyond the plan: what was found out for this very container. */
export interface CreateFacts {
  /** SHA-256 of the code archive, pinned. */
  readonly codeDigest: string;
  readonly embedded: boolean;
}

const environment = (plan: ContainerPlan, settings: CreateSettings, { codeDigest }: CreateFacts): string[] => {
  const { spec, attempt, incarnation, run } = plan;
  const config = JSON.stringify(spec.config);
  const pairs: [string, string][] = [
    ['PYTHONDONTWRITEBYTECODE', '1'],
    ['ID', spec.id],
    ['BOT_ID', spec.id],
    ['ENTRYPOINT_TYPE', 'bot'],
    ['CODE_MOUNT_DIR', 'bot'],
    ['STATE_DIR', '/state/.the0-state'],
    ['CODE_FILE', spec.code.filePath],
    ['RUNTIME', spec.runtime],
    ['ENTRYPOINT', spec.entrypoints.bot],
    ['BOT_TYPE', run === undefined ? 'realtime' : 'scheduled'],
    ['IS_SCHEDULED', String(run !== undefined)],
    [DELIVERY_ENV.attempt, String(attempt)],
    [DELIVERY_ENV.incarnation, String(incarnation)],
    [DELIVERY_ENV.codeDigest, codeDigest],
    [DELIVERY_ENV.stopHookMs, String(spec.stopHookMs)],
    [DELIVERY_ENV.botGraceMs, String(spec.stopGraceMs)],
    [DELIVERY_ENV.syncMs, String(spec.finalSyncMs)],
    ...Object.entries(settings.env ?? {}),
  ];
  if (run !== undefined) {
    pairs.push(['SCHEDULED_AT', new Date(run.scheduledAt).toISOString()]);
    if (!run.writes) pairs.push([DELIVERY_ENV.stateReadOnly, run.key]);
  }
  const { query, stop } = spec.entrypoints;
  if (query !== undefined) pairs.push(['QUERY_ENTRYPOINT', query]);
  if (stop !== undefined) pairs.push([DELIVERY_ENV.stopEntrypoint, stop]);
  if (settings.configInEnv) pairs.push(['CONFIG', config], ['BOT_CONFIG', config]);
  return pairs.map(([name, value]) => `${name}=${value}`);
};

/** A run that does not write the state sees it, and has its own place for all else: two never share a log file. */
const mountsOf = (plan: ContainerPlan, install: string, embedded: boolean) => {
  const { spec, incarnation, run } = plan;
  const of = run === undefined ? 'bot' : 'run';
  const readsOnly = run?.writes === false ? run.key : undefined;
  return botVolumes({ install, id: spec.id, incarnation, of, embedded, readsOnly });
};

export const createOptions = (
  plan: ContainerPlan,
  settings: CreateSettings,
  facts: CreateFacts,
): ContainerCreateOptions & { name: string } => {
  const { spec, incarnation, generation, attempt, specHash } = plan;
  const { install, network, hostGateway } = settings;
  const { codeDigest, embedded } = facts;
  return {
    name: containerName(install, instanceId(plan)),
    Image: spec.image,
    User: USER,
    WorkingDir: '/tmp',
    StopSignal: 'SIGTERM',
    // The sum of all stages, so that a stop by hand and a shutdown of the engine give the same grace (feature C6).
    StopTimeout: Math.ceil(stopBudgetMs(spec) / 1_000),
    Env: environment(plan, settings, facts),
    Labels: writeTags(
      { install, botId: instanceId(plan), incarnation, generation, specHash, attempt, codeDigest },
      spec.entrypoints.bot,
    ),
    HostConfig: {
      ...hardened(spec.limits),
      Tmpfs: { '/bot': tmpfs(256, ',exec'), '/query': tmpfs(64), '/tmp': tmpfs(64, ',mode=1777') },
      Mounts: [...mountsOf(plan, install, embedded), codeVolume(install, true)],
      NetworkMode: network,
      ...(hostGateway ? { ExtraHosts: ['host.docker.internal:host-gateway'] } : {}),
      CpuShares: spec.limits.cpuShares,
    },
  };
};
