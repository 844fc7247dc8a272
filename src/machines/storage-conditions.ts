/** StateSynced and LogsShipped: is what a bot must not lose in the archive store? */
import type { BotState, KeptStatus } from '../domain/bot-state.ts';
import type { Condition } from '../domain/running-bot.ts';
import { snapshotText } from '../domain/sync-report.ts';
import { storageOf } from './amend-storage.ts';
import { camelCode } from './reason.ts';

const MIB = 1024 ** 2;

const kept = (
  type: 'StateSynced' | 'LogsShipped',
  { status, since, code, detail = '' }: KeptStatus,
  message: string,
): Condition => {
  const lastTransitionTime = since;
  switch (status) {
    case 'kept':
      return { type, status: 'True', reason: 'Kept', message, lastTransitionTime };
    case 'failing':
      return { type, status: 'False', reason: camelCode(code ?? 'INTERNAL'), message: detail, lastTransitionTime };
    case 'unknown':
      return code === undefined
        ? {
            type,
            status: 'Unknown',
            reason: 'NotReported',
            message: 'nothing has been reported yet',
            lastTransitionTime,
          }
        : { type, status: 'Unknown', reason: camelCode(code), message: detail, lastTransitionTime };
  }
};

export const storageConditions = ({ context }: BotState): readonly [Condition, Condition] => {
  const { state, logs, snapshot, unsynced, overLimit, droppedBytes } = storageOf(context);
  const waits = 'the newest data is only on the volume; drover stores it as soon as the archive store answers';
  const onVolume = (type: Condition['type'], since: number): Condition => ({
    type,
    status: 'False',
    reason: 'Unsynced',
    message: waits,
    lastTransitionTime: since,
  });
  const live = context.container !== null && context.container.exited !== true;
  const newest = snapshot === undefined ? 'there is no state to store' : `newest snapshot ${snapshotText(snapshot)}`;
  const tooLarge: Condition = {
    type: 'StateSynced',
    status: 'False',
    reason: 'OverLimit',
    message: `not stored: ${overLimit.map(({ path, bytes }) => `${path} (${String(Math.ceil(bytes / MIB))} MiB)`).join(', ')}`,
    lastTransitionTime: state.since,
  };
  const dropped = droppedBytes === 0 ? 'all output is stored' : `${String(droppedBytes)} bytes of output were dropped`;
  return [
    unsynced?.state === true && !live
      ? onVolume('StateSynced', state.since)
      : state.status === 'kept' && overLimit.length > 0
        ? tooLarge
        : kept('StateSynced', state, newest),
    unsynced?.logs === true && !live ? onVolume('LogsShipped', logs.since) : kept('LogsShipped', logs, dropped),
  ];
};
