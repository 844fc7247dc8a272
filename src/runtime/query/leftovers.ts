/**
 * What a query leaves behind: the next one must not see it. What can be taken away is; after what cannot, nobody
 * may be answered any more in this container.
 */
import { chmodSync, lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../../domain/errors.ts';
import { killStrangers } from '../kill-strangers.ts';
import { countSharedObjects } from './shared-objects.ts';

export interface Leftovers {
  /** Once nothing runs any more but us and `kept`, or after a while: {@link remove} says so then. Never throws. */
  kill(kept: readonly (number | undefined)[]): Promise<void>;
  /** The places are empty. @throws as the file system does */
  clean(): void;
  /** Nothing of a query is left. @throws DroverError, or as the file system does: what is left cannot be taken away */
  remove(): void;
}

export interface LeftoversOptions {
  /** Defaults to all there are. */
  readonly places?: readonly string[];
  /** The state that queries see is as it was. */
  readonly isStateSame: () => boolean;
}

/** Where a program of a container whose root is read-only can write, besides its own code. Nothing of ours lies there. */
const PLACES = ['/query', '/tmp', '/var/the0', '/dev/shm', '/dev/mqueue'] as const;
/** A process that was killed needs a moment to be gone, one with much memory a long one. */
const PASSES = 2_000;

const unlock = (path: string): void => {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) unlock(join(path, name));
};

const modeOf = (folder: string): number | undefined => {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode;
  return mode === undefined ? undefined : mode & 0o7777;
};

/**
 * An entry of the image, e.g. the folder of a Java machine that ran at its build: `/tmp` begins as the image has it. No query could
 * make it, because a container has one user and no way to another; only what lies in one that everybody may write can be of a query.
 */
const isOfImage = (path: string): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.uid === process.getuid?.()) return false;
  if (stat.isDirectory() && (stat.mode & 0o002) !== 0) empty(path);
  return true;
};

const empty = (place: string): void => {
  for (const name of readdirSync(place)) {
    const path = join(place, name);
    if (isOfImage(path)) continue;
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // A folder that its own owner may not enter.
      unlock(path);
      rmSync(path, { recursive: true, force: true });
    }
  }
};

/** Of a container in which no code of the bot has run yet: what is here now is how it is kept, but for what lies in the places. */
export const createLeftovers = ({ places = PLACES, isStateSame }: LeftoversOptions): Leftovers => {
  const modes = new Map(places.map((place) => [place, modeOf(place)] as const));
  const shared = countSharedObjects();
  let areGone = true;

  const spoilt = (how: string): DroverError =>
    new DroverError('QUERY_REPLY_INVALID', `the previous query ${how}: this container answers no further query`);

  const clean = (): void => {
    for (const [place, mode] of modes) {
      if (mode === undefined) continue;
      if (modeOf(place) !== mode) chmodSync(place, mode);
      empty(place);
    }
  };

  return {
    async kill(kept) {
      areGone = false;
      for (let pass = 0; pass < PASSES && !areGone; pass += 1) {
        areGone = killStrangers(kept) === 0;
        if (!areGone) await sleep(1);
      }
    },
    clean,
    remove() {
      if (!areGone) throw spoilt('left processes that do not end');
      clean();
      if (countSharedObjects() > shared) throw spoilt('left shared memory');
      if (!isStateSame()) throw spoilt('changed the copy of the state');
    },
  };
};
