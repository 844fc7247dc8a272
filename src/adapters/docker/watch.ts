/**
 * The engine's events: resumed where they broke off, watched for silence, reconnected for ever. The engine replays only
 * 256 events, so each reconnect tells the caller to look at everything (feature B4, fault R17).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { LABEL, type InstanceRole } from '../../domain/naming.ts';
import type { EngineWatch } from '../../ports/container-engine.ts';
import { textOf } from './docker-errors.ts';
import type { EngineGaps } from './engine-gaps.ts';
import { createEventParser } from './event-parser.ts';
import { isForeign } from './foreign.ts';

export interface WatchContext {
  readonly docker: Docker;
  readonly install: string;
  readonly role: InstanceRole;
  /** Others are not waited for, and so not heard. */
  readonly besideOthers: boolean;
  readonly gaps: EngineGaps;
  readonly ping: () => Promise<void>;
  /** Silence longer than this is asked about, ms. */
  readonly idleMs: number;
}

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 10_000;
const OVERLAP_S = 2;
/** What changes nothing about whether and how a container runs. */
/** What the opening of a stream may take. */
const OPEN_MS = 10_000;
const NOISE = /^(exec_|top|attach|detach|resize|archive-path|extract-to-dir|export|copy)/;

/** Runs until aborted. */
export const watchEngine = async (context: WatchContext, watch: EngineWatch, signal: AbortSignal): Promise<void> => {
  const { docker, install, role, besideOthers, gaps, ping, idleMs } = context;
  const own = [`${LABEL.install}=${install}`, `${LABEL.role}=${role}`];
  // A bot that waits for another's container, or runs beside one, hears of it; a run is looked at by the tick.
  const hearsOthers = role === 'bot' && !besideOthers;
  const concerns = (labels: Readonly<Record<string, unknown>>): boolean =>
    (labels[LABEL.install] === install && labels[LABEL.role] === role) || (hearsOthers && isForeign(labels, context));
  const seen = new Set<string>();
  // Also at first: the engine answers before it begins to collect, and what happens between would be lost.
  let since = Math.floor(Date.now() / 1_000) - OVERLAP_S;
  let delay = FIRST_DELAY_MS;

  /** A listener's own failure must not end the stream for everybody: the tick still looks at every bot. */
  const guarded = (tell: () => void): void => {
    try {
      tell();
    } catch (error) {
      watch.onLost(`a listener failed: ${textOf(error)}`);
    }
  };

  const take = (event: ReturnType<ReturnType<typeof createEventParser>>[number]): void => {
    const { id, action, botId, timeNano, labels } = event;
    if (!concerns(labels)) return;
    const key = `${String(timeNano)} ${id} ${action}`;
    if (NOISE.test(action) || seen.has(key)) return;
    if (seen.size > 2_000) seen.clear();
    seen.add(key);
    const time = Math.floor(timeNano / 1e6);
    since = Math.max(since, Math.floor(time / 1_000) - OVERLAP_S);
    guarded(() => {
      watch.onSignal({ botId, action, container: id, time });
    });
  };

  /** One connection: resolves with the reason of its end. */
  const follow = async (): Promise<string> => {
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const opening = setTimeout(() => {
      ended.abort();
    }, OPEN_MS);
    const stream = await docker
      .getEvents({
        since,
        filters: { type: ['container'], label: hearsOthers ? [`${LABEL.managed}=true`] : own },
        abortSignal: either,
      })
      .finally(() => {
        clearTimeout(opening);
      });
    gaps.back(Date.now());
    delay = FIRST_DELAY_MS;
    watch.onConnected();
    let heard = Date.now();
    const parse = createEventParser();
    const watchdog = setInterval(
      () => {
        if (Date.now() - heard < idleMs) return;
        heard = Date.now();
        ping().catch(() => {
          ended.abort();
        });
      },
      Math.max(50, idleMs / 4),
    );
    try {
      return await new Promise<string>((resolve) => {
        stream.on('data', (chunk: Buffer) => {
          heard = Date.now();
          for (const event of parse(chunk)) take(event);
        });
        for (const name of ['end', 'close'])
          stream.on(name, () => {
            resolve('the engine closed the stream');
          });
        stream.on('error', (error: unknown) => {
          resolve(textOf(error));
        });
        ended.signal.addEventListener('abort', () => {
          resolve('the engine does not answer');
        });
      });
    } finally {
      clearInterval(watchdog);
      ended.abort();
    }
  };

  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    const reason = await follow().catch(textOf);
    if (isOver()) return;
    gaps.lost(Date.now());
    watch.onLost(reason);
    await sleep(delay * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => undefined);
    delay = Math.min(delay * 2, MAX_DELAY_MS);
  }
};
