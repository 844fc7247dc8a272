/** The image a bot is made from: what is there is used, what is not is pulled, once for all who wait for it. */
import type Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import { textOf } from './docker-errors.ts';

const PULL_DEADLINE_MS = 300_000;

/** @returns a function that pulls an image. It throws DroverError IMAGE_UNAVAILABLE with the registry's words. */
export const createPuller = (docker: Docker) => {
  const pulling = new Map<string, Promise<void>>();

  const pull = async (image: string): Promise<void> => {
    try {
      const stream = await docker.pull(image, { abortSignal: AbortSignal.timeout(PULL_DEADLINE_MS) });
      await new Promise<void>((resolve, reject) => {
        docker.modem.followProgress(stream, (error: Error | null) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
    } catch (thrown) {
      throw new DroverError('IMAGE_UNAVAILABLE', `image ${image}: ${textOf(thrown)}`, { cause: thrown });
    }
  };

  return (image: string): Promise<void> => {
    const underWay = pulling.get(image);
    if (underWay !== undefined) return underWay;
    const begun = pull(image).finally(() => pulling.delete(image));
    pulling.set(image, begun);
    return begun;
  };
};
