/** The volumes of one bot or schedule and incarnation, and the code cache that all share. */
import type { BotId } from '../../domain/bot.ts';
import { DELIVERY } from '../../domain/delivery.ts';
import {
  codeVolumeName,
  LABEL,
  QUERY_ROLE,
  SCRATCH_ROLE,
  volumeName,
  type InstanceRole,
  type VolumeRole,
} from '../../domain/naming.ts';
import { throwAwayVolume, volumeMount } from './hardened.ts';

export const VOLUME_ROLE: Readonly<Record<InstanceRole, string>> = { bot: 'volume', run: 'run-volume' };
const CODE_ROLE = 'code-cache';

const TARGETS: Readonly<Record<VolumeRole, string>> = {
  state: '/state',
  the0: '/var/the0',
  archive: DELIVERY.archiveMount,
};

export interface VolumesOf {
  readonly install: string;
  readonly id: BotId;
  readonly incarnation: number;
  readonly of: InstanceRole;
  /** The archive store's part of this bot is a volume too. */
  readonly embedded: boolean;
  /** Key of a run that does not write the state: it only sees it, and has a place of its own for all else. */
  readonly readsOnly?: string | undefined;
}

export interface OneVolume extends Pick<VolumesOf, 'install' | 'id' | 'incarnation' | 'of'> {
  readonly role: VolumeRole;
  readonly readOnly: boolean;
  /** Key of a run that has it for itself. */
  readonly run?: string | undefined;
  /** Of a volume that this very mount makes. */
  readonly labels?: Readonly<Record<string, string>>;
}

export const botVolume = ({ install, id, incarnation, of, role, readOnly, run, labels = {} }: OneVolume) =>
  volumeMount({
    name: volumeName({ install, id, incarnation, role, of, run }),
    target: TARGETS[role],
    readOnly,
    labels: {
      [LABEL.install]: install,
      [LABEL.role]: VOLUME_ROLE[of],
      [LABEL.id]: id,
      [LABEL.incarnation]: String(incarnation),
      ...(run === undefined ? {} : { [LABEL.run]: run }),
      ...labels,
    },
  });

export const botVolumes = ({ embedded, readsOnly, ...of }: VolumesOf) =>
  (embedded ? (['state', 'the0', 'archive'] as const) : (['state', 'the0'] as const)).map((role) =>
    botVolume({
      ...of,
      role,
      readOnly: role === 'state' && readsOnly !== undefined,
      run: role === 'the0' ? readsOnly : undefined,
    }),
  );

/** An empty one in the place of a volume that is not there, or not wanted. */
export const volumeInstead = (role: VolumeRole, install: string) =>
  throwAwayVolume(TARGETS[role], { [LABEL.install]: install, [LABEL.role]: QUERY_ROLE });

/**
 * Where code is unpacked, and `/tmp`: on the engine's disk, as large as the bot needs, and not in its memory. They go with their
 * container.
 */
export const scratchVolumes = (install: string) =>
  ['/bot', '/tmp'].map((target) => throwAwayVolume(target, { [LABEL.install]: install, [LABEL.role]: SCRATCH_ROLE }));

/** Read-only for bots: what one reads no other can have changed. */
export const codeVolume = (install: string, readOnly: boolean) =>
  volumeMount({
    name: codeVolumeName(install),
    target: DELIVERY.codeCache,
    labels: { [LABEL.install]: install, [LABEL.role]: CODE_ROLE },
    readOnly,
  });
