/** A transition as people and programs read it: one line, stable, no secrets (feature G2). Pure; colour is handed in. */
import type { BotEvent } from './bot-event.ts';
import { printable } from './printable.ts';
import type { Cause } from './recorded.ts';
import { scheduleDetails } from './schedule-details.ts';
import { snapshotText, type SnapshotId } from './sync-report.ts';
import type { Transition } from './transition.ts';

export { printable } from './printable.ts';

export interface Paint {
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly busy: (text: string) => string;
  readonly strong: (text: string) => string;
}

const plain = (text: string): string => text;
export const NO_PAINT: Paint = { dim: plain, good: plain, bad: plain, busy: plain, strong: plain };

const short = (id: string): string => id.slice(0, 12);

/** Why, in a few words. */
export const causeText = (cause: Cause): string => {
  switch (cause.kind) {
    case 'message':
      return cause.sequence === undefined ? cause.subject : `${cause.subject} #${String(cause.sequence)}`;
    case 'docker':
      return `docker ${cause.action} ${short(cause.container)}`;
    case 'tick':
      return `tick ${String(cause.number)}`;
    case 'timer':
      return 'timer';
    case 'spec':
      return `spec ${cause.id}`;
    case 'request':
      return `request ${cause.action} by ${cause.actor} (${cause.requestId.slice(0, 8)})`;
    case 'start':
      return 'start';
    case 'schedule':
      return `schedule ${cause.event}`;
    case 'run':
      return `run ${cause.key} ${cause.event}`;
  }
};

/** 950ms, 1.2s, 3m05s, 2h07m, 4d03h. */
export const durationText = (ms: number): string => {
  const two = (value: number): string => String(value).padStart(2, '0');
  if (ms < 1_000) return `${String(Math.max(0, Math.round(ms)))}ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${String(minutes)}m${two(Math.floor((ms % 60_000) / 1_000))}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? `${String(hours)}h${two(minutes % 60)}m`
    : `${String(Math.floor(hours / 24))}d${two(hours % 24)}h`;
};

/** Of state and logs: snapshots as operators name them, files with their sizes, what waits on the volume. */
const storageDetails = (event: Record<string, unknown>): [string, string | number][] => {
  const { snapshot, former, files, unsynced, storeReachable, final } = event as {
    snapshot?: SnapshotId;
    former?: SnapshotId;
    files?: readonly { path: string; bytes: number }[];
    unsynced?: { state: boolean; logs: boolean };
    storeReachable?: boolean;
    final?: boolean;
  };
  const waiting = [unsynced?.state === true ? 'state' : '', unsynced?.logs === true ? 'logs' : ''].filter(Boolean);
  return [
    ...(snapshot === undefined ? [] : [['snapshot', snapshotText(snapshot)] as [string, string]]),
    ...(former === undefined ? [] : [['former', snapshotText(former)] as [string, string]]),
    ...(files === undefined
      ? []
      : [['files', files.map(({ path, bytes }) => `${path}:${String(bytes)}`).join(',')] as [string, string]]),
    ...(waiting.length === 0 ? [] : [['unsynced', waiting.join('+')] as [string, string]]),
    ...(storeReachable === false ? [['store', 'unreachable'] as [string, string]] : []),
    ...(final === true ? [['final', 'true'] as [string, string]] : []),
  ];
};

/** How many equal requests an event takes, when there is more than one. */
const requestDetails = ({ also }: Record<string, unknown>): [string, number][] =>
  Array.isArray(also) ? [['requests', also.length + 1]] : [];

/** What there is to say of an event beyond its name. */
const details = (event: BotEvent): Record<string, string | number> => {
  const { type: _type, at: _at, ...rest } = event as BotEvent & Record<string, unknown>;
  const known = [
    'class',
    'exitCode',
    'code',
    'reason',
    'detail',
    'signal',
    'delayMs',
    'byMs',
    'streak',
    'crashes',
    'generation',
    'incarnation',
    'source',
    'bytes',
    'free',
    'actor',
    'install',
  ];
  return Object.fromEntries([
    ...known.flatMap((key): [string, string | number][] => {
      const value = (rest as Record<string, unknown>)[key];
      return typeof value === 'string' || typeof value === 'number' ? [[key, value]] : [];
    }),
    ...storageDetails(rest),
    ...requestDetails(rest),
  ]);
};

const detailsOf = (transition: Transition): Readonly<Record<string, string | number>> =>
  transition.kind === 'schedule' ? scheduleDetails(transition.event) : details(transition.event);

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** For programs: flat, stable keys. */
export const transitionJson = (transition: Transition): Record<string, unknown> => {
  const { kind, time, position, index, botId, from, to, event, causes, attempt, container, lastedMs } = transition;
  return {
    time: new Date(time).toISOString(),
    seq: `${String(position)}.${String(index)}`,
    bot: botId,
    ...(kind === 'bot' ? {} : { kind }),
    from,
    to,
    event: event.type,
    cause: causes.map(causeText),
    attempt,
    container: container === undefined ? null : short(container),
    lasted_ms: lastedMs ?? null,
    ...Object.fromEntries(Object.entries(detailsOf(transition)).map(([key, value]) => [snake(key), value])),
  };
};

const painter = ({ from, to, event }: Transition, paint: Paint): ((text: string) => string) => {
  if (to.startsWith('failed') || /Failed|TimedOut|Rejected|Vanished/.test(event.type)) return paint.bad;
  if (event.type === 'RunEnded') return event.outcome === 'succeeded' ? paint.good : paint.bad;
  if (from === to) return paint.dim;
  return to === 'running' ? paint.good : paint.busy;
};

/** For people: time, bot, from → to, event, what else, attempt, container, how long it had lasted, and why. */
export const transitionLine = (transition: Transition, paint: Paint = NO_PAINT): string => {
  const { time, botId, from, to, event, causes, attempt, container, lastedMs } = transition;
  const colour = painter(transition, paint);
  const path = from === to ? `· ${to}` : `${from} → ${to}`;
  const more = Object.entries(detailsOf(transition)).map(([key, value]) => `${snake(key)}=${printable(String(value))}`);
  return [
    paint.dim(new Date(time).toISOString().slice(11, 23)),
    paint.strong(printable(botId).padEnd(16)),
    colour(path.padEnd(29)),
    event.type.padEnd(22),
    ...(more.length === 0 ? [] : [more.join(' ')]),
    ...(attempt === 0 ? [] : [paint.dim(`attempt ${String(attempt)}`)]),
    ...(container === undefined ? [] : [paint.dim(short(container))]),
    ...(lastedMs === undefined ? [] : [paint.dim(`after ${durationText(lastedMs)}`)]),
    paint.dim(`← ${causes.map(causeText).map(printable).join(', ')}`),
  ].join('  ');
};
