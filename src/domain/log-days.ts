/** In which of the stored day files the output of a time lies (contract §4: UTC days). */

const DAY_MS = 86_400_000;

/** Keys in the logs bucket, oldest first. Both instants in epoch ms, inclusive. */
export const logDays = (botId: string, from: number, to: number): readonly string[] => {
  const first = Math.floor(from / DAY_MS);
  const count = Math.max(1, Math.floor(to / DAY_MS) - first + 1);
  return Array.from({ length: count }, (_, n) => {
    const day = new Date((first + n) * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '');
    return `logs/${botId}/${day}.log`;
  });
};
