/** What every container of ours has in common: contract §5, feature I1. */
import type { HostConfig } from 'dockerode';

export const USER = '1000:1000';
const MIB = 1024 * 1024;

export const tmpfs = (sizeMb: number, extra = ''): string =>
  `rw,nosuid,nodev,uid=1000,gid=1000,size=${String(sizeMb * MIB)}${extra}`;

/** `memoryMb` bounds memory and swap together. */
export const hardened = (limits: { memoryMb: number; pids: number }): HostConfig => ({
  ReadonlyRootfs: true,
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges:true'],
  Memory: limits.memoryMb * MIB,
  MemorySwap: limits.memoryMb * MIB,
  PidsLimit: limits.pids,
  LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
  // Both would destroy the observation (exit code, attempt) that every decision rests on.
  AutoRemove: false,
  RestartPolicy: { Name: 'no' },
});

/** `host.docker.internal`, for those who ask for it. */
export const gateway = (isWanted: boolean): Pick<HostConfig, 'ExtraHosts'> =>
  isWanted ? { ExtraHosts: ['host.docker.internal:host-gateway'] } : {};

export interface VolumeMount {
  readonly name: string;
  readonly target: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly readOnly?: boolean;
}

export const volumeMount = ({ name, target, labels, readOnly = false }: VolumeMount) => ({
  Type: 'volume' as const,
  Source: name,
  Target: target,
  ReadOnly: readOnly,
  VolumeOptions: { NoCopy: false, Labels: { ...labels }, DriverConfig: { Name: 'local', Options: {} } },
});

/** Without a name: the engine removes it with its container, and copies the owner of the image's folder into it. */
export const throwAwayVolume = (target: string, labels: Readonly<Record<string, string>>) => ({
  Type: 'volume' as const,
  Source: '',
  Target: target,
  ReadOnly: false,
  VolumeOptions: { NoCopy: false, Labels: { ...labels }, DriverConfig: { Name: 'local', Options: {} } },
});
