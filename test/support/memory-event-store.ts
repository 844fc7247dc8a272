/** The event store port in memory, for tests that need thousands of stores. It passes the same contract suite. */
import { createHash, randomUUID } from 'node:crypto';
import { DroverError } from '../../src/domain/errors.ts';
import { canonicalJson } from '../../src/domain/json.ts';
import type { Commit } from '../../src/domain/recorded.ts';
import type { EventStore } from '../../src/ports/event-store.ts';

export const createMemoryEventStore = (now: () => number = Date.now): EventStore => {
  const commits: Commit[] = [];
  const waiting = new Set<() => void>();
  const versionOf = (stream: string): number => commits.findLast((commit) => commit.stream === stream)?.to ?? 0;
  return {
    append(commit) {
      const stored = commits.find(
        ({ stream, commandId }) => stream === commit.stream && commandId === commit.commandId,
      );
      if (commit.commandId !== undefined && stored !== undefined) return Promise.resolve(stored);
      const version = versionOf(commit.stream);
      if (version !== commit.expectedVersion) {
        return Promise.reject(new DroverError('VERSION_CONFLICT', `${commit.stream} is at ${String(version)}`));
      }
      if (commit.events.length === 0) return Promise.reject(new DroverError('INTERNAL', 'an empty commit'));
      const prevHash = commits.at(-1)?.hash ?? '';
      const record = {
        position: commits.length + 1,
        stream: commit.stream,
        from: version + 1,
        to: version + commit.events.length,
        // As any real store does, it keeps what JSON keeps and nothing else.
        events: JSON.parse(JSON.stringify(commit.events)) as Commit['events'],
        causes: commit.causes,
        commandId: commit.commandId ?? randomUUID(),
        prevHash,
        recordedAt: now(),
        writer: 'memory',
        epoch: 0,
      };
      const hash = createHash('sha256')
        .update(prevHash + canonicalJson(record))
        .digest('hex');
      commits.push({ ...record, hash });
      for (const wake of waiting) wake();
      return Promise.resolve({ ...record, hash });
    },
    read: (stream, fromVersion = 1) =>
      Promise.resolve(commits.filter((commit) => commit.stream === stream && commit.to >= fromVersion)),
    readAll: (after, limit) => Promise.resolve(commits.slice(after, after + limit)),
    async *feed(after, signal) {
      let position = after;
      while (!signal.aborted) {
        const next = commits[position];
        if (next !== undefined) {
          position = next.position;
          yield next;
          continue;
        }
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            signal.removeEventListener('abort', wake);
            resolve();
          };
          waiting.add(wake);
          signal.addEventListener('abort', wake);
        });
      }
    },
    head: () => Promise.resolve(commits.length),
    streams: (prefix = '') =>
      Promise.resolve(
        new Map(commits.filter(({ stream }) => stream.startsWith(prefix)).map(({ stream, to }) => [stream, to])),
      ),
    close: () => Promise.resolve(),
  };
};
