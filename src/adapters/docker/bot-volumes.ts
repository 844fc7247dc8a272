/** The volumes of one bot and incarnation, and the code cache that all bots share. */
import type { BotId } from '../../domain/bot.ts';
import { DELIVERY } from '../../domain/delivery.ts';
import { codeVolumeName, LABEL, volumeName, type VolumeRole } from '../../domain/naming.ts';
import { volumeMount } from './hardened.ts';

export const VOLUME_ROLE = 'volume';
const CODE_ROLE = 'code-cache';

const TARGETS: Readonly<Record<VolumeRole, string>> = {
  state: '/state',
  the0: '/var/the0',
  archive: DELIVERY.archiveMount,
};

/** `embedded`: the archive store's part of this bot is a volume too. */
export const botVolumes = (install: string, id: BotId, incarnation: number, embedded: boolean) =>
  (embedded ? (['state', 'the0', 'archive'] as const) : (['state', 'the0'] as const)).map((role) =>
    volumeMount({
      name: volumeName(install, id, incarnation, role),
      target: TARGETS[role],
      labels: {
        [LABEL.install]: install,
        [LABEL.role]: VOLUME_ROLE,
        [LABEL.id]: id,
        [LABEL.incarnation]: String(incarnation),
      },
    }),
  );

/** Read-only for bots: what one reads no other can have changed (issue 4 point 6). */
export const codeVolume = (install: string, readOnly: boolean) =>
  volumeMount({
    name: codeVolumeName(install),
    target: DELIVERY.codeCache,
    labels: { [LABEL.install]: install, [LABEL.role]: CODE_ROLE },
    readOnly,
  });
