/**
 * What an ephemeral query container reads its state from: the bot's volume, read-only, or an empty one into which a snapshot is laid.
 * A mount makes a volume that is not there, so only those are mounted that are.
 */
import type Docker from 'dockerode';
import { volumeName, type VolumeRole } from '../../domain/naming.ts';
import type { QueryStateSource } from '../../domain/query-frames.ts';
import type { QueryPlan } from '../../ports/query-containers.ts';
import { botVolume, volumeInstead } from './bot-volumes.ts';
import { statusOf } from './docker-errors.ts';

/** On a volume that vanished between look and mount, so that the mount made it: by the container of this name. */
const MADE_BY = 'drover.made-by-query';

type Mount = ReturnType<typeof botVolume>;

export interface QueryMounts {
  readonly mounts: readonly Mount[];
  readonly state: QueryStateSource;
  /** Names of those that must be there already. */
  readonly expected: readonly string[];
}

export interface MountsOf {
  readonly docker: Docker;
  readonly install: string;
  readonly plan: QueryPlan;
  /** Of the container that is to be made. */
  readonly name: string;
  /** The archive store's part of this bot is a volume too. */
  readonly embedded: boolean;
  readonly abortSignal: AbortSignal;
}

const labelsOf = async (docker: Docker, name: string, abortSignal: AbortSignal) => {
  try {
    // The engine says null where there are none.
    const { Labels } = (await docker.getVolume(name).inspect({ abortSignal })) as {
      Labels: Record<string, string> | null;
    };
    return Labels ?? {};
  } catch (thrown) {
    if (statusOf(thrown) === 404) return undefined;
    throw thrown;
  }
};

/** @throws as the engine does */
export const queryMounts = async (of: MountsOf): Promise<QueryMounts> => {
  const { docker, install, plan, name, embedded, abortSignal } = of;
  const { spec, incarnation, asOf, avoidVolume } = plan;
  const whose = { install, id: spec.id, incarnation, of: plan.of };
  const expected: string[] = [];
  const mount = async (role: VolumeRole): Promise<Mount> => {
    const volume = volumeName({ ...whose, role });
    const labels = await labelsOf(docker, volume, abortSignal);
    if (labels === undefined || labels[MADE_BY] !== undefined) return volumeInstead(role, install);
    expected.push(volume);
    return botVolume({ ...whose, role, readOnly: true, labels: { [MADE_BY]: name } });
  };
  const state = asOf === undefined && avoidVolume !== true ? await mount('state') : volumeInstead('state', install);
  if (state.ReadOnly) return { mounts: [state], state: { kind: 'volume' }, expected };
  const archive = embedded ? [await mount('archive')] : [];
  return { mounts: [state, ...archive], state: asOf ?? { kind: 'newest' }, expected };
};

/** Those that were gone by the time the container was made: it made them, and they must not stay. @throws as the engine does */
export const strayVolumes = async (
  docker: Docker,
  { expected }: QueryMounts,
  name: string,
  abortSignal: AbortSignal,
): Promise<string[]> => {
  const labels = await Promise.all(expected.map((volume) => labelsOf(docker, volume, abortSignal)));
  return expected.filter((_volume, index) => labels[index]?.[MADE_BY] === name);
};
