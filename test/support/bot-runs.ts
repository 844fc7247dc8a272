/** Bots of the tests by their files: started, seen to their end, and what they printed. */
import { expect } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import { volumeName } from '../../src/domain/naming.ts';
import { docker, zipOf, type Spine } from './spine.ts';

export type Exit = Extract<BotEvent, { type: 'ContainerExited' }>;

export interface BotFiles {
  readonly runtime?: string;
  readonly entrypoint?: string;
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly config?: object;
  readonly drover?: object;
}

export interface BotRuns {
  start(id: string, bot: BotFiles): Promise<void>;
  /** Starts it, and waits for the end of that container. */
  ends(id: string, bot: BotFiles): Promise<Exit>;
  /** Has it stopped in good order; returns how it ended. */
  stops(id: string, bot: BotFiles): Promise<Exit>;
  /** Lines of `bot.log` in its running container. */
  log(id: string): Promise<string[]>;
  /** Lines of the engine's log of its running container. */
  printed(id: string, streams?: { stdout?: boolean; stderr?: boolean }): Promise<string[]>;
  /** Loses its volumes: the next start has the state that was stored. */
  loseState(id: string): Promise<void>;
}

const DELIVERED = { runtime: 'python3.11', entrypoint: 'main.py' };

export const botRuns = (spine: Spine): BotRuns => {
  const documentOf = (id: string, { runtime, entrypoint, config = {}, drover = {} }: BotFiles): object =>
    spine.document(id, {
      custom: {
        runtime: runtime ?? DELIVERED.runtime,
        entrypoints: { bot: entrypoint ?? DELIVERED.entrypoint },
      },
      config,
      root: { drover: { restartPolicy: 'never', ...drover } },
    });
  const exits = (id: string): Exit[] =>
    spine.told.flatMap(({ botId, event }) => (botId === id && event.type === 'ContainerExited' ? [event] : []));
  const exitAfter = async (id: string, before: number): Promise<Exit> => {
    await expect.poll(() => exits(id).length, { timeout: 60_000 }).toBe(before + 1);
    return exits(id)[before] as Exit;
  };
  const containerOf = (id: string) => docker.getContainer(spine.bot(id)?.containerId ?? '');
  const textOf = async (frames: Buffer): Promise<string> => {
    // Each frame has a head of eight bytes, the last four of them its size.
    const parts: Buffer[] = [];
    for (let at = 0; at + 8 <= frames.length; at += 8 + frames.readUInt32BE(at + 4)) {
      parts.push(frames.subarray(at + 8, at + 8 + frames.readUInt32BE(at + 4)));
    }
    return Promise.resolve(Buffer.concat(parts).toString());
  };

  const self: BotRuns = {
    async start(id, bot) {
      await spine.stores.archives.putCode(`test/${id}/1.0.0`, zipOf(bot.files));
      await spine.put(id, documentOf(id, bot));
    },
    async ends(id, bot) {
      const before = exits(id).length;
      await self.start(id, bot);
      return exitAfter(id, before);
    },
    async stops(id, bot) {
      const before = exits(id).length;
      await spine.put(id, documentOf(id, { ...bot, config: { ...bot.config, enabled: false } }));
      await spine.reaches(id, 'stopped', ({ unsynced }) => !unsynced);
      return exitAfter(id, before);
    },
    async log(id) {
      const exec = await containerOf(id).exec({ Cmd: ['cat', '/var/the0/logs/bot.log'], AttachStdout: true });
      const stream = await exec.start({});
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return (await textOf(Buffer.concat(chunks))).split('\n');
    },
    async printed(id, streams = { stdout: true, stderr: true }) {
      const frames = await containerOf(id).logs(streams as { stdout: boolean });
      return (await textOf(frames)).split('\n');
    },
    async loseState(id) {
      await expect.poll(() => spine.containers(id)).toEqual([]);
      for (const role of ['state', 'the0'] as const) {
        await docker.getVolume(volumeName({ install: spine.install, id, incarnation: 1, role, of: 'bot' })).remove();
      }
    },
  };
  return self;
};
