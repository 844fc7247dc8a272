/**
 * Did the engine end a container, by its own end? drover may have been down when that happened, so nobody saw the gap. The engine
 * forgets its events when it ends: one that does not remember the start of a container was started after it (fault R14).
 */
import { uptime } from 'node:os';
import type Docker from 'dockerode';

/** What the engine keeps; a list of nearly so many may have lost its beginning. */
const KEPT_EVENTS = 240;
const KEPT_ANSWERS = 500;
const READ_WITHIN_MS = 5_000;
const MOMENT_MS = 1_000;

interface EngineEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string };
}

export interface Ended {
  readonly id: string;
  /** Engine clock, epoch ms. */
  readonly finishedAt: number;
}

const toEvents = (text: string): readonly EngineEvent[] =>
  text.split('\n').flatMap((line) => {
    try {
      return line.trim() === '' ? [] : [JSON.parse(line) as EngineEvent];
    } catch {
      return [];
    }
  });

/** All that the engine remembers. */
const remembered = async (docker: Docker, now: number): Promise<readonly EngineEvent[]> => {
  const abortSignal = AbortSignal.timeout(READ_WITHIN_MS);
  // Up to a moment from now: the engine tells an end a little after it.
  const until = Math.round(now + MOMENT_MS) / 1_000;
  const stream = await docker.getEvents({ since: 1, until, abortSignal });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return toEvents(Buffer.concat(chunks).toString('utf8'));
};

/** Of a local engine: when this machine was started, epoch ms. */
const bootedAt = (docker: Docker, now: number): number | undefined =>
  (docker.modem as { readonly socketPath?: string }).socketPath === undefined ? undefined : now - uptime() * 1_000;

export type EngineRestarts = (ended: Ended) => Promise<boolean>;

export const createEngineRestarts = (docker: Docker): EngineRestarts => {
  const known = new Map<string, Promise<boolean>>();

  const judge = async ({ id, finishedAt }: Ended): Promise<boolean> => {
    const now = Date.now();
    const [events, info] = await Promise.all([
      remembered(docker, now),
      docker.info() as Promise<{ readonly LiveRestoreEnabled?: boolean }>,
    ]);
    const told = (action: string): boolean =>
      events.some((event) => event.Type === 'container' && event.Action === action && event.Actor?.ID === id);
    if (events.length >= KEPT_EVENTS) return (bootedAt(docker, now) ?? 0) > finishedAt;
    if (told('start')) return false;
    // With live restore containers outlive their engine: one whose end the new engine saw had an end of its own.
    return info.LiveRestoreEnabled !== true || !told('die');
  };

  return (ended) => {
    const before = known.get(ended.id);
    if (before !== undefined) return before;
    if (known.size >= KEPT_ANSWERS) known.clear();
    // An engine that does not answer says nothing; the next look asks again.
    const answer = judge(ended).catch(() => {
      known.delete(ended.id);
      return false;
    });
    known.set(ended.id, answer);
    return answer;
  };
};
