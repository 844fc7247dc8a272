/**
 * Making an ephemeral query container: code in the cache, state beside it, and once more where something went away in between.
 * Whatever goes wrong on the way, nothing of it is left.
 */
import { DroverError } from '../../domain/errors.ts';
import { unlessAborted } from '../../domain/unless-aborted.ts';
import type { QueryContainer, QueryPlan } from '../../ports/query-containers.ts';
import type { StoreAccessSource } from '../../ports/store-access-source.ts';
import type { CodeCache } from './code-cache.ts';
import { toEngineError } from './docker-errors.ts';
import type { Lane } from './lanes.ts';
import { ensureNetwork } from './network.ts';
import { createAttempt, VolumeVanished, type Beginning, type Made } from './query-begin.ts';
import { queryMounts } from './query-mounts.ts';
import { imageOf } from './query-options.ts';

export interface QueryOpening extends Beginning {
  readonly access: StoreAccessSource;
  readonly codeCache: CodeCache;
  readonly pull: (image: string) => Promise<void>;
  readonly starts: Lane;
}

/** An engine that gives no answer must not keep a caller waiting who gave up. */
const UNDONE_WITHIN_MS = 2_000;

const neverMind = (): void => undefined;

/** Also when it is given up, `work` settles only when nothing of it is left, for its place is free then; but not for ever. */
const untilUndone = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const left = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const leave = (): void => {
    timer = setTimeout(() => {
      left.abort(signal.reason);
    }, UNDONE_WITHIN_MS);
  };
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await unlessAborted(work, left.signal);
  } finally {
    signal.removeEventListener('abort', leave);
    clearTimeout(timer);
  }
};

const toContainer = (
  { container, talk }: Made,
  { codeCache, remove }: QueryOpening,
  digest: string,
): QueryContainer => {
  let removal: Promise<void> | undefined;
  return {
    id: container.id,
    ended: talk.ended,
    async ask(call, signal) {
      try {
        return await talk.ask(call, signal);
      } catch (thrown) {
        // Somebody emptied the code cache: the next one fills it.
        if (thrown instanceof DroverError && thrown.code === 'CODE_NOT_CACHED') codeCache.forget(digest);
        throw thrown;
      }
    },
    remove() {
      talk.end();
      return (removal ??= remove(container.id));
    },
  };
};

/** `name`: random, nobody else's. @throws as the port says */
export const openQuery = async (
  opening: QueryOpening,
  plan: QueryPlan,
  name: string,
  signal: AbortSignal,
): Promise<QueryContainer> => {
  const { docker, install, access, codeCache, pull, starts, network } = opening;
  const { spec, digest, maxReplyBytes } = plan;
  const image = imageOf(plan, opening);

  const prepared = async () => {
    const mounts = await queryMounts({
      docker,
      install,
      plan,
      name,
      embedded: access.kind === 'folder',
      abortSignal: signal,
    });
    const { state } = mounts;
    const prepare = { kind: 'prepare', config: spec.config, state, maxReplyBytes } as const;
    if (state.kind === 'volume') return { mounts, order: prepare };
    return { mounts, order: { ...prepare, access: await access.accessFor(spec.id, { readOnly: true }) } };
  };
  const make = async (): Promise<Made> => {
    // Outside the lane: an archive store that is slow must not hold up the queries of others.
    const [{ mounts, order }] = await unlessAborted(
      Promise.all([
        prepared(),
        codeCache.ensure(digest, spec.code.filePath),
        ensureNetwork(docker, network, neverMind),
      ]),
      signal,
    );
    const attempt = createAttempt(opening, plan, { name, mounts, order, signal });
    try {
      const made = await starts((late) => attempt.begin(late), { unless: signal });
      signal.throwIfAborted();
      return made;
    } catch (thrown) {
      await attempt.undo();
      throw thrown;
    }
  };
  const again = async (thrown: unknown): Promise<Made> => {
    if (thrown instanceof DroverError && thrown.code === 'IMAGE_UNAVAILABLE') {
      await unlessAborted(pull(image), signal);
    } else if (!(thrown instanceof DroverError && thrown.cause instanceof VolumeVanished)) throw thrown;
    return make();
  };
  try {
    return toContainer(await untilUndone(make().catch(again), signal), opening, digest);
  } catch (thrown) {
    throw signal.aborted ? (signal.reason as Error) : toEngineError(thrown);
  }
};
