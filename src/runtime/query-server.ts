/** The query server of a realtime bot: the bot's own query program beside it, started again when it dies (pitfall 48). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessGroup } from './process-group.ts';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** Who lived this long starts afresh. */
const HEALTHY_MS = 60_000;
const GOODBYE_MS = 1_000;

export interface QueryServer {
  /** SIGTERM, 1 s, SIGKILL (contract §6). */
  stop(): Promise<void>;
}

/** `tell`: a line for the bot's log. */
export const startQueryServer = (start: () => ProcessGroup, tell: (line: string) => void): QueryServer => {
  let stopping = false;
  let group: ProcessGroup | undefined;
  const keep = async (): Promise<void> => {
    for (let delay = FIRST_DELAY_MS; !stopping; delay = Math.min(delay * 2, MAX_DELAY_MS)) {
      const since = performance.now();
      try {
        group = start();
        const { code, signal } = await group.ended;
        if (stopping as boolean) return;
        tell(`the query server ended (${signal ?? String(code)}) and is restarted`);
      } catch (error) {
        tell(`the query server cannot be started: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        // Its number may be another's by now.
        group = undefined;
      }
      if (performance.now() - since >= HEALTHY_MS) delay = FIRST_DELAY_MS;
      await sleep(delay, undefined, { ref: false });
    }
  };
  void keep();
  return {
    async stop() {
      stopping = true;
      if (group === undefined) return;
      const ended = group.ended.then(
        () => true,
        () => true,
      );
      group.signal('SIGTERM');
      const late = sleep(GOODBYE_MS, false, { ref: false });
      if (!(await Promise.race([ended, late]))) group.killAll();
    },
  };
};
