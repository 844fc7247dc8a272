/** How messages come in, over all who read. */
import type { BusMode, BusStatus, WishChannel } from '../../ports/message-bus.ts';

export interface Reading {
  readonly of: WishChannel['of'];
  readonly status: BusStatus;
}

const IDLE: BusStatus = { mode: 'off', detail: 'no messages are read' };
const WORST_FIRST: readonly BusMode[] = ['off', 'core', 'stream'];

/** The mode of the one that is worst off; each in its own words, where they differ. */
export const overAll = (readings: readonly Reading[]): BusStatus => {
  const mode = WORST_FIRST.find((each) => readings.some(({ status }) => status.mode === each));
  const details = new Set(readings.map(({ status }) => status.detail));
  const [only = IDLE.detail] = details;
  if (mode === undefined || details.size < 2) return { mode: mode ?? IDLE.mode, detail: only };
  return { mode, detail: readings.map(({ of, status }) => `${of}: ${status.detail}`).join('; ') };
};

/** Of one that has not begun yet. */
export const notReading = IDLE;
