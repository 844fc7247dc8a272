/** Contract §5 with its list of deliberate deviations: ContainerPlan and settings → what the engine is asked to create. Pure. */
import type { ContainerCreateOptions } from 'dockerode';
import { stopBudgetMs } from '../../domain/bot.ts';
import { fitsVariable } from '../../domain/config-size.ts';
import { DELIVERY_ENV } from '../../domain/delivery.ts';
import type { ContainerPlan } from '../../domain/effect.ts';
import { jsonText } from '../../domain/json-text.ts';
import { QUERY_PORT } from '../../domain/query.ts';
import { instanceId } from '../../domain/run-id.ts';
import { containerName, writeTags } from '../../domain/naming.ts';
import { botVolumes, codeVolume, scratchVolumes } from './bot-volumes.ts';
import { commonEnv, envLines, type EnvPair } from './container-env.ts';
import { gateway, hardened, tmpfs, USER } from './hardened.ts';

export interface CreateSettings {
  readonly install: string;
  readonly network: string;
  /** host.docker.internal only for those who ask for it. */
  readonly hostGateway: boolean;
  /** The reference's way: configuration in the container's environment, for all who inspect it to read. */
  readonly configInEnv: boolean;
  /** More of the container's environment: limits of state, a publish-only bus. */
  readonly env?: Readonly<Record<string, string>>;
  /** Query servers of realtime bots are published on loopback: containers have no address that we reach. Default: false. */
  readonly publishQueries?: boolean;
}

/** Beyond the plan: what was found out for this very container. */
export interface CreateFacts {
  /** SHA-256 of the code archive, pinned. */
  readonly codeDigest: string;
  readonly embedded: boolean;
}

const environment = (plan: ContainerPlan, settings: CreateSettings, { codeDigest }: CreateFacts): string[] => {
  const { spec, attempt, incarnation, run } = plan;
  const config = jsonText(spec.config);
  const pairs: EnvPair[] = [
    ...commonEnv({
      spec,
      incarnation,
      codeDigest,
      entrypoint: spec.entrypoints.bot,
      entrypointType: 'bot',
      botType: run === undefined ? 'realtime' : 'scheduled',
    }),
    [DELIVERY_ENV.attempt, String(attempt)],
    [DELIVERY_ENV.stopHookMs, String(spec.stopHookMs)],
    [DELIVERY_ENV.botGraceMs, String(spec.stopGraceMs)],
    [DELIVERY_ENV.syncMs, String(spec.finalSyncMs)],
    ...Object.entries(settings.env ?? {}),
  ];
  if (run !== undefined) {
    pairs.push(['SCHEDULED_AT', new Date(run.scheduledAt).toISOString()]);
    if (!run.writes) pairs.push([DELIVERY_ENV.stateReadOnly, run.key]);
  }
  const { stop } = spec.entrypoints;
  if (stop !== undefined) pairs.push([DELIVERY_ENV.stopEntrypoint, stop]);
  // One that no variable can hold comes by file alone: the container would not start.
  if (settings.configInEnv && fitsVariable('BOT_CONFIG', config))
    pairs.push(['CONFIG', config], ['BOT_CONFIG', config]);
  return envLines(pairs);
};

/**
 * The query server of a realtime bot, on loopback at a port that the engine chooses: the way to it from where containers have no
 * address, e.g. Docker Desktop. Nothing of the spec, so no restart when it changes.
 */
const published = ({ spec, run }: ContainerPlan, { publishQueries = false }: CreateSettings) => {
  if (!publishQueries || run !== undefined || spec.entrypoints.query === undefined) return undefined;
  const port = `${String(QUERY_PORT)}/tcp`;
  return { exposed: { [port]: {} }, bindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } };
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
  const publishing = published(plan, settings);
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
    ...(publishing === undefined ? {} : { ExposedPorts: publishing.exposed }),
    HostConfig: {
      ...hardened(spec.limits),
      Tmpfs: { '/query': tmpfs(64) },
      Mounts: [...mountsOf(plan, install, embedded), codeVolume(install, true), ...scratchVolumes(install)],
      NetworkMode: network,
      ...gateway(hostGateway),
      CpuShares: spec.limits.cpuShares,
      ...(publishing === undefined ? {} : { PortBindings: publishing.bindings }),
    },
  };
};
