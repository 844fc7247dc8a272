/** Contract §5 with its list of deliberate deviations: ContainerPlan and settings → what the engine is asked to create. Pure. */
import type { ContainerCreateOptions } from 'dockerode';
import { stopBudgetMs } from '../../domain/bot.ts';
import { DELIVERY_ENV } from '../../domain/delivery.ts';
import type { ContainerPlan } from '../../domain/effect.ts';
import { containerName, volumeName, writeTags } from '../../domain/naming.ts';

export interface CreateSettings {
  readonly install: string;
  readonly network: string;
  /** host.docker.internal only for those who ask for it. */
  readonly hostGateway: boolean;
  /** The reference's way: configuration in the container's environment, for all who inspect it to read. */
  readonly configInEnv: boolean;
}

const USER = '1000:1000';
const MIB = 1024 * 1024;
const tmpfs = (sizeMb: number, extra = ''): string =>
  `rw,nosuid,nodev,uid=1000,gid=1000,size=${String(sizeMb * MIB)}${extra}`;

const environment = (plan: ContainerPlan, configInEnv: boolean): string[] => {
  const { spec, attempt } = plan;
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
    ['BOT_TYPE', 'realtime'],
    ['IS_SCHEDULED', 'false'],
    [DELIVERY_ENV.attempt, String(attempt)],
    [DELIVERY_ENV.stopHookMs, String(spec.stopHookMs)],
    [DELIVERY_ENV.botGraceMs, String(spec.stopGraceMs)],
    [DELIVERY_ENV.syncMs, String(spec.finalSyncMs)],
  ];
  if (spec.entrypoints.query !== undefined) pairs.push(['QUERY_ENTRYPOINT', spec.entrypoints.query]);
  if (configInEnv) pairs.push(['CONFIG', config], ['BOT_CONFIG', config]);
  return pairs.map(([name, value]) => `${name}=${value}`);
};

export const createOptions = (
  plan: ContainerPlan,
  settings: CreateSettings,
): ContainerCreateOptions & { name: string } => {
  const { spec, incarnation, generation, attempt, specHash } = plan;
  const { install, network, hostGateway, configInEnv } = settings;
  const labels = (role: string): Record<string, string> => ({
    'drover.install': install,
    'drover.role': role,
    'runtime.id': spec.id,
    'drover.incarnation': String(incarnation),
  });
  const volume = (role: 'state' | 'the0', target: string) => ({
    Type: 'volume' as const,
    Source: volumeName(install, spec.id, incarnation, role),
    Target: target,
    VolumeOptions: { NoCopy: false, Labels: labels('volume'), DriverConfig: { Name: 'local', Options: {} } },
  });
  return {
    name: containerName(install, spec.id),
    Image: spec.image,
    User: USER,
    WorkingDir: '/tmp',
    StopSignal: 'SIGTERM',
    StopTimeout: Math.ceil(stopBudgetMs(spec) / 1_000),
    Env: environment(plan, configInEnv),
    Labels: writeTags({ install, botId: spec.id, incarnation, generation, specHash, attempt }, spec.entrypoints.bot),
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Tmpfs: { '/bot': tmpfs(256, ',exec'), '/query': tmpfs(64), '/tmp': tmpfs(64, ',mode=1777') },
      Mounts: [volume('state', '/state'), volume('the0', '/var/the0')],
      NetworkMode: network,
      ...(hostGateway ? { ExtraHosts: ['host.docker.internal:host-gateway'] } : {}),
      Memory: spec.limits.memoryMb * MIB,
      MemorySwap: spec.limits.memoryMb * MIB,
      CpuShares: spec.limits.cpuShares,
      PidsLimit: spec.limits.pids,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      // Both would destroy the observation (exit code, attempt) that every decision rests on.
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
    },
  };
};
