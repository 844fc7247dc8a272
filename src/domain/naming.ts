/**
 * Names and labels of what we make on an engine, and their reading back. A container's name is the lock of one engine:
 * two bots never share one, so the encoding of an id is injective.
 */
import { createHash } from 'node:crypto';
import type { BotId } from './bot.ts';
import { ownerOf, partsOfRun, runId } from './run-id.ts';

/** No `-`: names are read back at their dashes. No longer: a volume's name has to fit into 255 bytes. */
export const INSTALL_ID = /^[a-z0-9]{1,16}$/;
export const INSTALL_ID_WORDS = '1 to 16 lower-case letters and digits';

const MAX_ENCODED = 180;
const SAFE = /[A-Za-z0-9-]/;

/** Letters, digits and `-` stay; every other byte becomes `_xx` (lower-case hex). Injective, and legal in Docker names. */
export const encodeId = (id: BotId): string =>
  [...Buffer.from(id, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return byte < 128 && SAFE.test(char) ? char : `_${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');

/** The id an encoded name stands for; undefined when `encodeId` can never have made it. */
export const decodeId = (encoded: string): BotId | undefined => {
  if (!/^(?:[A-Za-z0-9-]|_[0-9a-f]{2})+$/.test(encoded)) return undefined;
  const bytes = [...encoded.matchAll(/_([0-9a-f]{2})|(.)/g)].map(([, hex, char]) =>
    hex === undefined ? (char ?? '').charCodeAt(0) : Number.parseInt(hex, 16),
  );
  const id = Buffer.from(bytes).toString('utf8');
  return encodeId(id) === encoded ? id : undefined;
};

/** Why an id cannot be one, or undefined when it can. A path in an id is never one. */
export const botIdFault = (id: string): string | undefined => {
  if (id.length === 0) return 'the id is empty';
  if (id.length > 128) return 'the id is longer than 128 characters';
  if (/[/\\]/.test(id)) return 'the id contains a path separator';
  if (id === '.' || id === '..') return 'the id is `.` or `..`';
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused here
  if (/[\u0000-\u001f\u007f]/.test(id)) return 'the id contains a control character';
  if (!id.isWellFormed()) return 'the id is not well-formed Unicode';
  if (encodeId(id).length > MAX_ENCODED)
    return `the encoded form of the id is longer than ${String(MAX_ENCODED)} characters`;
  return undefined;
};

/** Without `-`, so that the last one in a name parts the schedule from the run. */
const encodeKey = (key: string): string => encodeId(key).replaceAll('-', '_2d');

/** Of a bot, or of a run: there without the number of the start, so that a slot has one container at a time. */
export const containerName = (install: string, id: string): string => {
  const run = partsOfRun(id);
  return run === undefined
    ? `drover-${install}-bot-${encodeId(id)}`
    : `drover-${install}-run-${encodeId(run.scheduleId)}-${encodeKey(run.key)}`;
};

/** The bot a container name belongs to, or undefined when it is not one of this install. */
export const botOfContainerName = (install: string, name: string): BotId | undefined => {
  const prefix = `drover-${install}-bot-`;
  return name.startsWith(prefix) ? decodeId(name.slice(prefix.length)) : undefined;
};

/** The run a container name belongs to, or undefined when it is not one of this install. */
export const runOfContainerName = (install: string, name: string): string | undefined => {
  const prefix = `drover-${install}-run-`;
  const cut = name.lastIndexOf('-');
  if (!name.startsWith(prefix) || cut < prefix.length) return undefined;
  const scheduleId = decodeId(name.slice(prefix.length, cut));
  const key = decodeId(name.slice(cut + 1).replaceAll('_2d', '-'));
  return scheduleId === undefined || key === undefined ? undefined : runId({ scheduleId, key });
};

/** Name of a container that has no process and kept its bot's name from being free. */
export const asideName = (name: string, containerId: string): string => `${name}-aside-${containerId.slice(0, 12)}`;

/** `archive`: the embedded archive store's part of one bot. */
export type VolumeRole = 'state' | 'the0' | 'archive';

/** Kinds of what runs. A bot and a schedule of the same id share no volume, whoever comes first. */
export type InstanceRole = 'bot' | 'run';

/** The code cache of an install on one engine. */
export const codeVolumeName = (install: string): string => `drover-${install}-code`;

/** A short-lived container of ours beside the volumes of a bot, a schedule or a run: `random` keeps those at one time apart. */
export const toolName = (install: string, id: string, random: string): string => {
  const name =
    partsOfRun(id) === undefined
      ? `drover-${install}-tool-${encodeId(id)}`
      : containerName(install, id).replace(`drover-${install}-run-`, `drover-${install}-runtool-`);
  return `${name}-${random}`;
};

/** Who fills the code cache: the process that keeps bots, the one that keeps runs, any that answers queries. */
export type CodeFiller = InstanceRole | 'query';

const FILLER_WORD: Readonly<Record<CodeFiller, string>> = { bot: 'code', run: 'runcode', query: 'querycode' };

/**
 * One that fills the code cache: one a digest, for bots and for runs, which different processes may keep. Any number of processes
 * answer queries, and none may end what another one fills: theirs have something `random` in the name.
 */
export const codeToolName = (install: string, digest: string, filler: CodeFiller, random: string): string =>
  `drover-${install}-${FILLER_WORD[filler]}-${digest.slice(0, 32)}${filler === 'query' ? `-${random}` : ''}`;

/** An id in a query container's name is for people only, so it may be cut. */
const MAX_QUERY_ID = 100;

/** An ephemeral query container: many of one bot at once, so `random` keeps them apart. */
export const queryName = (install: string, id: BotId, random: string): string =>
  `drover-${install}-query-${encodeId(id).slice(0, MAX_QUERY_ID)}-${random}`;

/** A volume is a folder on the engine's disk, and its name has to fit into 255 bytes. */
const shortKey = (key: string): string =>
  /^[0-9A-Za-z]{1,16}$/.test(key) ? key : createHash('sha256').update(key).digest('hex').slice(0, 24);

/** Volumes carry the incarnation: a bot that comes back under an old id never inherits the earlier one's state. */
export const volumeName = (volume: {
  readonly install: string;
  readonly id: BotId;
  readonly incarnation: number;
  readonly role: VolumeRole;
  readonly of: InstanceRole;
  /** Only of a run that has it for itself. */
  readonly run?: string | undefined;
}): string => {
  const { install, id, incarnation, role, of, run } = volume;
  const name = `drover-${install}-${of === 'bot' ? 'vol' : 'runvol'}-${encodeId(id)}-${String(incarnation)}-${role}`;
  return run === undefined ? name : `${name}-${shortKey(run)}`;
};

export const LABEL = {
  managed: 'runtime.managed',
  id: 'runtime.id',
  entrypoint: 'runtime.entrypoint',
  type: 'runtime.type',
  install: 'drover.install',
  role: 'drover.role',
  incarnation: 'drover.incarnation',
  generation: 'drover.generation',
  specHash: 'drover.spec-hash',
  attempt: 'drover.attempt',
  codeDigest: 'drover.code-digest',
  /** Key of a run: its slot, or the command that asked for it. */
  run: 'drover.run',
  /** Process that asks a query container: nobody else speaks to it. */
  queryOwner: 'drover.query-owner',
  /** Process that runs a short-lived container: that of a process which is gone is removed. */
  toolOwner: 'drover.tool-owner',
  /** What the process that runs a short-lived container keeps: bots or runs. */
  toolFor: 'drover.tool-for',
} as const;

/** {@link LABEL}.role of ephemeral query containers, and of what fills the code cache for them. */
export const QUERY_ROLE = 'query';
export const QUERY_TOOL_ROLE = 'query-tool';

/** {@link LABEL}.role of short-lived containers of a process that keeps bots or runs. */
export const TOOL_ROLE = 'tool';

/** {@link LABEL}.role of volumes that live no longer than their container: its code, and its `/tmp`. */
export const SCRATCH_ROLE = 'scratch';

/** What a container of ours says about itself. */
export interface ContainerTags {
  readonly install: string;
  /** Of a bot, or of a run. */
  readonly botId: string;
  readonly incarnation: number;
  readonly generation: number;
  readonly specHash: string;
  readonly attempt: number;
  /** SHA-256 of the code archive it was made with. */
  readonly codeDigest?: string;
}

const roleLabels = (id: string): Record<string, string> => {
  const run = partsOfRun(id);
  return run === undefined
    ? { [LABEL.role]: 'bot', [LABEL.type]: 'realtime' }
    : { [LABEL.role]: 'run', [LABEL.type]: 'scheduled', [LABEL.run]: run.key };
};

/** The bot or run that labels of ours name; undefined for other containers. */
export const instanceOfLabels = (labels: Readonly<Record<string, unknown>>): string | undefined => {
  const id = labels[LABEL.id];
  const key = labels[LABEL.run];
  if (typeof id !== 'string') return undefined;
  if (labels[LABEL.role] !== 'run') return id;
  return typeof key === 'string' && key !== '' ? runId({ scheduleId: id, key }) : undefined;
};

/** Labels of contract §5 plus ours. */
export const writeTags = (tags: ContainerTags, entrypoint: string): Record<string, string> => ({
  [LABEL.managed]: 'true',
  [LABEL.id]: ownerOf(tags.botId),
  [LABEL.entrypoint]: entrypoint,
  [LABEL.install]: tags.install,
  ...roleLabels(tags.botId),
  [LABEL.incarnation]: String(tags.incarnation),
  [LABEL.generation]: String(tags.generation),
  [LABEL.specHash]: tags.specHash,
  [LABEL.attempt]: String(tags.attempt),
  ...(tags.codeDigest === undefined ? {} : { [LABEL.codeDigest]: tags.codeDigest }),
});

const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** Tags from labels; undefined when they are not the complete labels of a bot's or a run's container of some install. */
export const readTags = (labels: Readonly<Record<string, string>>): ContainerTags | undefined => {
  const install = labels[LABEL.install];
  const botId = instanceOfLabels(labels);
  const role = labels[LABEL.role];
  const hash = labels[LABEL.specHash];
  const incarnation = whole(labels[LABEL.incarnation]);
  const generation = whole(labels[LABEL.generation]);
  const attempt = whole(labels[LABEL.attempt]);
  if ((role !== 'bot' && role !== 'run') || install === undefined || botId === undefined || hash === undefined)
    return undefined;
  if (incarnation === undefined || generation === undefined || attempt === undefined) return undefined;
  const codeDigest = labels[LABEL.codeDigest];
  return {
    install,
    botId,
    incarnation,
    generation,
    specHash: hash,
    attempt,
    ...(codeDigest === undefined ? {} : { codeDigest }),
  };
};
