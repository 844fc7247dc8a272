/**
 * One attempt at a query container: created, attached before it starts so that no word is lost, told what to prepare, started. And
 * how it is undone, at whatever point it broke off.
 */
import type Docker from 'dockerode';
import type { QueryOrder } from '../../domain/query-frames.ts';
import type { QueryPlan } from '../../ports/query-containers.ts';
import { whileBegun } from './abortable.ts';
import { statusOf } from './docker-errors.ts';
import { createExplain } from './query-explain.ts';
import { strayVolumes, type QueryMounts } from './query-mounts.ts';
import { queryOptions, type QuerySettings } from './query-options.ts';
import { createTalk, type AttachStream, type Talk } from './query-talk.ts';

export interface Beginning extends QuerySettings {
  readonly docker: Docker;
  /** Gone, or left to the next sweep; `mayAppear`: nobody said whether it was made. Never throws. */
  readonly remove: (container: string, mayAppear?: boolean) => Promise<void>;
}

export interface AttemptOptions {
  /** Random, nobody else's. */
  readonly name: string;
  readonly mounts: QueryMounts;
  readonly order: QueryOrder;
  /** Of whoever asks for it. */
  readonly signal: AbortSignal;
}

/** The state's volume vanished between the look and the mount: all is looked at once more. */
export class VolumeVanished extends Error {}

export interface Made {
  readonly container: Docker.Container;
  readonly talk: Talk;
}

export interface Attempt {
  /** Once. `late`: its turn is over. @throws as the engine does; VolumeVanished; when either signal aborts */
  begin(late: AbortSignal): Promise<Made>;
  /**
   * Nothing of it is there, nor can appear. Of an engine that gave no answer that is known only after seconds: not in the turn of
   * `begin`, which others wait for. Never throws.
   */
  undo(): Promise<void>;
}

const neverMind = (): void => undefined;

const attach = async (container: Docker.Container, abortSignal: AbortSignal): Promise<AttachStream> => {
  const streams = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
  return (await container.attach({ ...streams, abortSignal })) as AttachStream;
};

export const createAttempt = (opening: Beginning, plan: QueryPlan, options: AttemptOptions): Attempt => {
  const { docker, remove } = opening;
  const { name, mounts, order, signal } = options;
  let working: Promise<Made> | undefined;
  let container: Docker.Container | undefined;
  let stream: AttachStream | undefined;
  let mayAppear = false;
  let stray: string[] = [];

  /** Not broken off by who asks: the engine makes it all the same, and nobody would hear when. */
  const create = async (abortSignal: AbortSignal): Promise<Docker.Container> => {
    try {
      return await docker.createContainer({
        ...queryOptions(plan, opening, { name, mounts: mounts.mounts }),
        abortSignal,
      });
    } catch (thrown) {
      mayAppear = statusOf(thrown) === undefined;
      throw thrown;
    }
  };

  const start = async (made: Docker.Container, abortSignal: AbortSignal): Promise<Made> => {
    abortSignal.throwIfAborted();
    stream = await attach(made, abortSignal);
    const talk = createTalk(stream, order, createExplain(docker, made));
    await made.start({ abortSignal });
    abortSignal.throwIfAborted();
    return { container: made, talk };
  };

  const work = async (late: AbortSignal): Promise<Made> => {
    signal.throwIfAborted();
    const made = await create(late);
    container = made;
    stray = await strayVolumes(docker, mounts, name, late);
    if (stray.length > 0) throw new VolumeVanished(stray.join(', '));
    return whileBegun([late, signal], (abortSignal) => start(made, abortSignal));
  };

  return {
    begin: (late) => (working = work(late)),
    async undo() {
      await working?.catch(neverMind);
      stream?.on('error', neverMind).destroy();
      if (container !== undefined) await remove(container.id);
      // The engine may still make it: its name is known.
      else if (mayAppear) await remove(name, true);
      await Promise.all(stray.map((volume) => docker.getVolume(volume).remove().catch(neverMind)));
    },
  };
};
