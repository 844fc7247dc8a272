/**
 * What makes a run the only one of its kind: its slot for cron and backfill, the id of the
 * command for what a person asked for. Part of the container's name, so that the engine keeps twins apart too.
 */

const SLOT = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** `20261124T120000Z` of a slot, epoch ms on a whole second. */
export const slotKey = (slot: number): string =>
  new Date(slot)
    .toISOString()
    .replace(/\.\d{3}Z$/, 'Z')
    .replace(/[-:]/g, '');

/** The slot a key stands for; undefined for the key of a command. */
export const slotOfKey = (key: string): number | undefined => {
  const parts = SLOT.exec(key);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  const slot = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  return slotKey(slot) === key ? slot : undefined;
};

/** Keys of commands never look like those of slots. */
export const commandKey = (requestId: string, number?: number): string =>
  `c-${requestId}${number === undefined ? '' : `-${String(number)}`}`;
