/** When a bot printed its first line, by the engine's own clock. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';

/** What such a bot prints first. */
export const MARK = 'first line';
/** A bot that prints it, ends at once on SIGTERM, and does nothing until then. */
export const MARKING_BOT = `console.log('${MARK}'); exports.main = async () => { process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1e6); await new Promise(() => {}); };`;

/** From the engine's record of the start to the engine's stamp on the line, ms. */
export const untilFirstLine = async (container: Docker.Container): Promise<number> => {
  for (;;) {
    const raw = await container.logs({ stdout: true, stderr: true, timestamps: true });
    const line = raw
      .toString('utf8')
      .split('\n')
      .find((text) => text.includes(MARK));
    const stamp = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(line ?? '')?.[0];
    if (stamp !== undefined) return Date.parse(stamp) - Date.parse((await container.inspect()).State.StartedAt);
    await sleep(20);
  }
};
