/** What `/readyz` is made of: each dependency asked, and what this process is at. */
import { toDroverError } from '../domain/errors.ts';
import type { ArchiveStore } from '../ports/archive-store.ts';
import type { ContainerEngine } from '../ports/container-engine.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Readiness, Trouble } from '../ports/fleet-view.ts';
import type { Leadership } from '../ports/leadership.ts';
import type { Orphans } from '../ports/orphans.ts';
import type { ServiceState } from './service-state.ts';
import type { MessageBus } from '../ports/message-bus.ts';
import type { SpecStore } from '../ports/spec-store.ts';
import type { Troubles } from './troubles.ts';

export interface ReadinessOptions {
  readonly events: Pick<EventStore, 'head'>;
  readonly specs: Pick<SpecStore, 'read'>;
  readonly archives: Pick<ArchiveStore, 'ping'>;
  readonly engine: Pick<ContainerEngine, 'ping' | 'checkNetwork'>;
  /** Those of roles that this process does not take are not asked about. */
  readonly leases: readonly Lease[];
  readonly bus: MessageBus | undefined;
  readonly started: () => boolean;
  readonly troubles: Troubles;
  /** Rejects when nothing can be written where the log is. */
  readonly writable?: (() => Promise<void>) | undefined;
  readonly orphans: Pick<Orphans, 'list'>;
  readonly states: Pick<ServiceState, 'folds'>;
}

export interface Lease {
  readonly leadership: Leadership;
  readonly leads: () => boolean;
  readonly acts: boolean;
}

/** Ids in one line. */
const SHOWN = 10;

/** Any id will do: what counts is that the store answers. */
const NOBODY = '-';

const probe = async (name: string, look: () => Promise<unknown>): Promise<Readiness> => {
  try {
    await look();
    return { name, ok: true, detail: 'answers' };
  } catch (error) {
    return { name, ok: false, detail: toDroverError(error).message };
  }
};

/** A standby is ready: it serves the API and waits for its turn. While nobody acts, nobody is. */
const place = ({ leadership, leads: mayLead }: Lease): Readiness => {
  const name = `lease ${leadership.role}`;
  const epoch = leadership.epoch();
  if (mayLead()) return { name, ok: true, detail: `leader, epoch ${String(epoch ?? 0)}` };
  if (epoch !== undefined) return { name, ok: false, detail: 'elected, and reading the event log before it acts' };
  const holder = leadership.holder();
  if (holder === undefined) return { name, ok: false, detail: 'there is no leader yet' };
  return leadership.isHeld()
    ? { name, ok: true, detail: `standby; the leader is ${holder}` }
    : { name, ok: false, detail: `nobody acts: the last leader, ${holder}, has not renewed its lease` };
};

/** drover works without messages: only slower, and then the tick carries it. */
const messages = (bus: MessageBus): Readiness => {
  const { mode, detail } = bus.status();
  return { name: 'messages', ok: mode !== 'off', detail, optional: true };
};

const told = ({ since, count, code, detail }: Trouble): string =>
  `${String(count)} times since ${new Date(since).toISOString()}: ${code}: ${detail}`;

/** A tick that fails: bots that nothing is heard of are not looked at. */
const ticks = (troubles: Troubles): Readiness => {
  const failing = troubles.all('tick ');
  const detail = failing.map(([topic, trouble]) => `the ${topic} failed ${told(trouble)}`).join('; ');
  return { name: 'ticks', ok: failing.length === 0, detail: failing.length === 0 ? 'run' : detail };
};

/** Nothing can be recorded: that concerns all. What else fails for one bot is a matter of that bot. */
const STORES: ReadonlySet<string> = new Set(['STORE_UNAVAILABLE', 'STORE_LOCKED']);

const passes = (troubles: Troubles): Readiness => {
  const failing = troubles.all('pass ');
  const [first] = [...failing].sort(([, a], [, b]) => Number(STORES.has(b.code)) - Number(STORES.has(a.code)));
  if (first === undefined) return { name: 'passes', ok: true, detail: 'run' };
  const [topic, trouble] = first;
  const others = failing.length === 1 ? '' : `, and ${String(failing.length - 1)} others`;
  const ofOne = STORES.has(trouble.code) ? {} : { optional: true };
  return { name: 'passes', ok: false, detail: `the ${topic} failed ${told(trouble)}${others}`, ...ofOne };
};

const few = (ids: readonly string[]): string =>
  ids.length > SHOWN ? `${ids.slice(0, SHOWN).join(', ')} and ${String(ids.length - SHOWN)} more` : ids.join(', ');

/** What an operator has to know, and what keeps drover from nothing. */
const notes = ({ orphans, states }: Pick<ReadinessOptions, 'orphans' | 'states'>): readonly Readiness[] => {
  const beside = [...states.folds()].filter(([, { state }]) => state.context.foreign !== null).map(([id]) => id);
  const left = orphans.list().map(({ id }) => id);
  const note = (name: string, ids: readonly string[], what: string): readonly Readiness[] =>
    ids.length === 0 ? [] : [{ name, ok: false, detail: `${few(ids)}: ${what}`, optional: true }];
  return [
    ...note('foreign instances', beside, 'another install, or the0, runs these bots; see `drover get`'),
    ...note('orphans', left, 'their containers belong to no bot; see `drover orphans`'),
  ];
};

export const createReadiness = (options: ReadinessOptions) => async (): Promise<readonly Readiness[]> => {
  const { events, specs, archives, engine, leases, bus, started, troubles, writable } = options;
  const up = started();
  const asked = await Promise.all([
    probe('event-store', () => events.head()),
    probe('spec-store', () => specs.read(NOBODY)),
    probe('archive-store', () => archives.ping()),
    probe('engine', () => engine.ping()),
    probe('network', () => engine.checkNetwork()),
    ...(writable === undefined ? [] : [probe('data-folder', writable)]),
  ]);
  const own = { name: 'bot-service', ok: up, detail: up ? 'running' : 'reading the event log' };
  const places = leases.filter(({ acts }) => acts).map(place);
  const attention = notes(options);
  return [
    ...asked,
    own,
    ticks(troubles),
    passes(troubles),
    ...places,
    ...attention,
    ...(bus === undefined ? [] : [messages(bus)]),
  ];
};
