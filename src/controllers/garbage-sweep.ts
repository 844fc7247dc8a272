/**
 * One sweep: look at the buckets, then at what is wished (in this order, so that whoever was created meanwhile is known),
 * judge, note, and only then remove. Whatever cannot be read ends the sweep before anything is removed.
 */
import { botIdFault } from '../domain/naming.ts';
import { botStream } from '../domain/bot-event.ts';
import { DroverError, toDroverError } from '../domain/errors.ts';
import type { Commit } from '../domain/recorded.ts';
import { scheduleStream } from '../domain/schedule-event.ts';
import { decodeGarbageNote, encodeGarbageNote, GARBAGE_NOTE_KEY, type GarbageNote } from '../domain/garbage.ts';
import { BOT, SCHEDULE, type AnyState, type Machine } from '../machines/machine.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectSweeper, UnfinishedUpload } from '../ports/object-sweeper.ts';
import type { WishedIds } from '../ports/wished-ids.ts';
import { judgeGarbage, type GarbageVerdict } from './collect-garbage.ts';
import { foldCommit } from './fold-commit.ts';
import type { GarbageItem, GarbageReport, Surveyed } from './garbage-report.ts';
import { removeGarbage, type Outcome } from './remove-garbage.ts';
import { STALE_MS, surveyBuckets, SWEPT } from './survey-buckets.ts';

export interface GarbageParts {
  readonly sweeper: ObjectSweeper;
  readonly wishes: WishedIds;
  readonly graceMs: number;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  now(): number;
}

export interface SweepOptions {
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Ends the sweep at the next step; what is left is for the next one. */
  readonly signal: AbortSignal;
}

type Judged = Extract<GarbageVerdict, { kind: 'judged' }>;

/** How often another gc may be faster before we leave it to that one. */
const TRIES = 3;
const TELL_EVERY = 20_000;

/** Nothing was ever written of it, or its end. */
const hasEnded = <S extends AnyState, E extends { readonly at: number; readonly type: string }>(
  machine: Machine<S, E>,
  commits: readonly Commit[],
): boolean => {
  if (commits.length === 0) return true;
  try {
    const start = { state: machine.initial, version: 0 };
    return commits.reduce((fold, commit) => foldCommit(machine, fold, commit).after, start).state.at === 'deleted';
  } catch {
    // A log that cannot be folded says nothing about its end.
    return false;
  }
};

/** Its document is gone, but the log says that it is not done with: it may still run, and write. */
const isStanding = async (wishes: WishedIds, id: string): Promise<boolean> => {
  if (botIdFault(id) !== undefined) return false;
  const [bot, schedule] = await Promise.all([wishes.log(botStream(id)), wishes.log(scheduleStream(id))]);
  return !hasEnded(BOT, bot) || !hasEnded(SCHEDULE, schedule);
};

const readNote = async (sweeper: ObjectSweeper): Promise<{ note?: GarbageNote; tag?: string; text?: string }> => {
  const stored = await sweeper.readNote();
  return stored === undefined ? {} : { note: decodeGarbageNote(stored.text), tag: stored.tag, text: stored.text };
};

const otherInstall = (installId: string, noted: string): DroverError =>
  new DroverError(
    'GC_REFUSED',
    `the buckets belong to install ${noted} (${GARBAGE_NOTE_KEY}), and the spec store belongs to ${installId}; ` +
      `nothing is removed. If the buckets belong to this install from now on, remove ${GARBAGE_NOTE_KEY}: each grace period starts again`,
  );

const tooMany = ({ refused, limit }: Judged): string =>
  `${String(refused.length)} ids would be removed at once, more than the limit of ${String(limit)}: none is removed. ` +
  `Check the spec store; if the bots are really gone, \`drover gc --force\` removes them: ${refused
    .slice(0, 20)
    .map((id) => JSON.stringify(id))
    .join(', ')}` +
  (refused.length > 20 ? `, … (--json lists all)` : '');

interface Decided {
  readonly verdict: Judged;
  readonly installId: string;
  readonly wished: ReadonlySet<string>;
  readonly tag: string | undefined;
}

/** Reads, judges and notes. @throws DroverError GC_REFUSED, GC_INCOMPLETE, and what the stores throw: then nothing was removed */
const decide = async (parts: GarbageParts, survey: Surveyed, options: SweepOptions): Promise<Decided> => {
  const { sweeper, wishes, graceMs } = parts;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const { note, tag, text } = await readNote(sweeper);
    const { installId, ids } = await wishes.read();
    const wished = new Set(ids);
    for (const id of survey.byId.keys()) {
      options.signal.throwIfAborted();
      if (!wished.has(id) && (await isStanding(wishes, id))) wished.add(id);
    }
    const found = new Set(survey.byId.keys());
    const facts = { now: parts.now(), graceMs, force: options.force, installId, wished, found, note };
    const verdict = judgeGarbage(facts);
    if (verdict.kind === 'otherInstall') throw otherInstall(installId, verdict.noted);
    const decided = { verdict, installId, wished: ids };
    const next = encodeGarbageNote(verdict.note);
    if (options.dryRun || next === text) return { ...decided, tag };
    const written = await sweeper.writeNote(next, tag);
    if (written !== undefined) return { ...decided, tag: written };
  }
  throw new DroverError('GC_INCOMPLETE', 'another gc process is sweeping these buckets; this sweep ends');
};

const staleUploads = async ({ sweeper, now }: GarbageParts): Promise<readonly UnfinishedUpload[]> => {
  const all: UnfinishedUpload[] = [];
  for (const bucket of SWEPT) all.push(...(await sweeper.uploads(bucket)));
  return all.filter(({ begun }) => now() - begun > STALE_MS);
};

/** What stayed though it was to go is absent since as long as before; another gc may be at the note, and then starts it anew. */
const noteAgain = async (
  parts: GarbageParts,
  decided: Decided,
  undone: readonly string[],
  since: number,
): Promise<void> => {
  if (undone.length === 0 || decided.tag === undefined) return;
  const absent = new Map([...decided.verdict.note.absent, ...undone.map((id) => [id, since] as const)]);
  const text = encodeGarbageNote({ installId: decided.installId, absent });
  await parts.sweeper.writeNote(text, decided.tag).catch(() => undefined);
};

/** @throws DroverError when nothing was removed; what went wrong later stands in the report */
export const sweepGarbage = async (parts: GarbageParts, options: SweepOptions): Promise<GarbageReport> => {
  const { sweeper, wishes, logger } = parts;
  const { dryRun, signal } = options;
  let told = 0;
  const onProgress = (objects: number): void => {
    if (objects - told < TELL_EVERY) return;
    told = objects;
    logger.info('reading the buckets', { objects });
  };
  const survey = await surveyBuckets({ sweeper, now: parts.now(), signal, onProgress });
  const uploads = await staleUploads(parts);
  const decided = await decide(parts, survey, options);
  const { verdict, installId, wished } = decided;
  const problems: string[] = verdict.refused.length > 0 ? [tooMany(verdict)] : [];
  const sumOf = (id: string) => survey.byId.get(id) ?? { objects: 0, bytes: 0 };
  const kept: GarbageItem[] = [
    ...[...verdict.waits].map(([id, until]): GarbageItem => ({
      kind: 'orphan',
      name: id,
      fate: 'waits',
      ...sumOf(id),
      until,
    })),
    ...verdict.refused.map((id): GarbageItem => ({ kind: 'orphan', name: id, fate: 'refused', ...sumOf(id) })),
  ];
  const stillAbsent = async (id: string): Promise<boolean> => {
    const again = await wishes.read();
    if (again.installId !== installId) throw otherInstall(again.installId, installId);
    return !again.ids.has(id) && !(await isStanding(wishes, id));
  };
  const work = { sweeper, logger, dryRun, signal, stillAbsent, now: () => parts.now() };
  const outcome: Outcome = await removeGarbage(work, { ...survey, uploads, due: verdict.due, sumOf }).catch(
    (thrown: unknown) => {
      throw toDroverError(thrown);
    },
  );
  const undone = outcome.items.filter(({ kind, fate }) => kind === 'orphan' && (fate === 'failed' || fate === 'left'));
  if (!dryRun)
    await noteAgain(
      parts,
      decided,
      undone.map(({ name }) => name),
      parts.now() - parts.graceMs,
    );
  const items = [...outcome.items, ...kept];
  const counts = { objects: survey.objects, ids: survey.byId.size, wished: wished.size };
  return { dryRun, installId, ...counts, items, problems: [...problems, ...outcome.problems] };
};
