/** Freezes a container, on a busy machine too. */
import { until } from '../../scripts/until.ts';
import { docker } from './spine.ts';

/** The engine gives up when the processes do not come to rest in a few looks, thaws them, and says so: then it is asked again. */
export const pause = (container: string): Promise<boolean> =>
  until(
    () =>
      docker
        .getContainer(container)
        .pause()
        .then(
          () => true,
          (error: unknown) => {
            if (/unable to freeze/.test(String(error))) return false;
            throw error;
          },
        ),
    { every: 200, otherwise: () => `${container} cannot be paused` },
  );
