/**
 * Names and labels of what we make on an engine, and their reading back. A container's name is the lock of one engine:
 * two bots never share one, so the encoding of an id is injective (architecture §3).
 */
import type { BotId } from './bot.ts';

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
  if (id.length === 0) return 'it is empty';
  if (id.length > 128) return 'it is longer than 128 characters';
  if (/[/\\]/.test(id)) return 'it contains a path separator';
  if (id === '.' || id === '..') return 'it is a path';
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused here
  if (/[\u0000-\u001f\u007f]/.test(id)) return 'it contains a control character';
  if (!id.isWellFormed()) return 'it is not well-formed Unicode';
  if (encodeId(id).length > MAX_ENCODED) return `its encoded form is longer than ${String(MAX_ENCODED)} characters`;
  return undefined;
};

export const containerName = (install: string, id: BotId): string => `drover-${install}-bot-${encodeId(id)}`;

/** The bot a container name belongs to, or undefined when it is not one of this install. */
export const botOfContainerName = (install: string, name: string): BotId | undefined => {
  const prefix = `drover-${install}-bot-`;
  return name.startsWith(prefix) ? decodeId(name.slice(prefix.length)) : undefined;
};

/** Name of a container that has no process and kept its bot's name from being free. */
export const asideName = (name: string, containerId: string): string => `${name}-aside-${containerId.slice(0, 12)}`;

/** `archive`: the embedded archive store's part of one bot. */
export type VolumeRole = 'state' | 'the0' | 'archive';

/** The code cache of an install on one engine. */
export const codeVolumeName = (install: string): string => `drover-${install}-code`;

/** A short-lived container of ours beside a bot's volumes: one a bot. */
export const toolName = (install: string, id: BotId): string => `drover-${install}-tool-${encodeId(id)}`;

/** One that fills the code cache: one a digest. */
export const codeToolName = (install: string, digest: string): string =>
  `drover-${install}-code-${digest.slice(0, 32)}`;

/** Volumes carry the incarnation: a bot that comes back under an old id never inherits the earlier one's state. */
export const volumeName = (install: string, id: BotId, incarnation: number, role: VolumeRole): string =>
  `drover-${install}-vol-${encodeId(id)}-${String(incarnation)}-${role}`;

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
} as const;

/** What a container of ours says about itself. */
export interface ContainerTags {
  readonly install: string;
  readonly botId: BotId;
  readonly incarnation: number;
  readonly generation: number;
  readonly specHash: string;
  readonly attempt: number;
  /** SHA-256 of the code archive it was made with. */
  readonly codeDigest?: string;
}

/** Labels of contract §5 plus ours. */
export const writeTags = (tags: ContainerTags, entrypoint: string): Record<string, string> => ({
  [LABEL.managed]: 'true',
  [LABEL.id]: tags.botId,
  [LABEL.entrypoint]: entrypoint,
  [LABEL.type]: 'realtime',
  [LABEL.install]: tags.install,
  [LABEL.role]: 'bot',
  [LABEL.incarnation]: String(tags.incarnation),
  [LABEL.generation]: String(tags.generation),
  [LABEL.specHash]: tags.specHash,
  [LABEL.attempt]: String(tags.attempt),
  ...(tags.codeDigest === undefined ? {} : { [LABEL.codeDigest]: tags.codeDigest }),
});

const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** Tags from labels; undefined when they are not the complete labels of a bot container of some drover install. */
export const readTags = (labels: Readonly<Record<string, string>>): ContainerTags | undefined => {
  const install = labels[LABEL.install];
  const botId = labels[LABEL.id];
  const hash = labels[LABEL.specHash];
  const incarnation = whole(labels[LABEL.incarnation]);
  const generation = whole(labels[LABEL.generation]);
  const attempt = whole(labels[LABEL.attempt]);
  if (labels[LABEL.role] !== 'bot' || install === undefined || botId === undefined || hash === undefined)
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
