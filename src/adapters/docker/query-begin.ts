/** One attempt at a query container: created, attached before it starts so that no word is lost, told what to prepare, started. */
import type Docker from 'dockerode';
import type { QueryOrder } from '../../domain/query-frames.ts';
import type { QueryPlan } from '../../ports/query-containers.ts';
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

/** The state's volume vanished between the look and the mount: all is looked at once more. */
export class VolumeVanished extends Error {}

export interface Made {
  readonly container: Docker.Container;
  readonly talk: Talk;
}

const neverMind = (): void => undefined;

const attach = async (container: Docker.Container, abortSignal: AbortSignal): Promise<AttachStream> => {
  const streams = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
  return (await container.attach({ ...streams, abortSignal })) as AttachStream;
};

/** Created under this name, attached, told what to prepare, and started. @throws as the engine does; VolumeVanished */
export const begin = async (
  opening: Beginning,
  plan: QueryPlan,
  { name, mounts, order }: { name: string; mounts: QueryMounts; order: QueryOrder },
  abortSignal: AbortSignal,
): Promise<Made> => {
  const { docker, remove } = opening;
  let made: Docker.Container | undefined;
  let stream: AttachStream | undefined;
  let stray: string[] = [];
  try {
    abortSignal.throwIfAborted();
    made = await docker.createContainer({
      ...queryOptions(plan, opening, { name, mounts: mounts.mounts }),
      abortSignal,
    });
    stray = await strayVolumes(docker, mounts, name, abortSignal);
    if (stray.length > 0) throw new VolumeVanished(stray.join(', '));
    stream = await attach(made, abortSignal);
    const talk = createTalk(stream, order, createExplain(docker, made));
    await made.start({ abortSignal });
    abortSignal.throwIfAborted();
    return { container: made, talk };
  } catch (thrown) {
    const answered = statusOf(thrown) !== undefined;
    stream?.on('error', neverMind).destroy();
    // A create that nobody answered may still be done: the name is known.
    await remove(made?.id ?? name, made === undefined && !answered);
    await Promise.all(stray.map((volume) => docker.getVolume(volume).remove().catch(neverMind)));
    throw thrown;
  }
};
