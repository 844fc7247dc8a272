/** The snapshot that an operator chose for the next start (`restore.json`; fault R35, feature E11). */
import { DroverError } from '../../domain/errors.ts';
import { parseSnapshot, type SnapshotId } from '../../domain/sync-report.ts';
import type { StateArchives } from '../../ports/state-archives.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import type { StateMarker } from './marker.ts';

export interface Choice {
  readonly snapshot: SnapshotId;
  readonly requestId: string;
}

/** Content of `restore.json`. */
interface WrittenChoice {
  readonly snapshot: string;
  readonly requestId: string;
  /** Of whose state it was chosen; absent: of whichever reads it. */
  readonly incarnation?: number;
}

export const choiceText = (choice: WrittenChoice): string => JSON.stringify(choice);

/** @throws DroverError STATE_RESTORE_FAILED for what is no choice */
export const parseChoice = (text: string): (Choice & { readonly incarnation?: number }) | undefined => {
  try {
    const { snapshot: name, requestId, incarnation } = JSON.parse(text) as Partial<WrittenChoice>;
    const snapshot = parseSnapshot(name ?? '');
    if (snapshot === undefined || requestId === undefined) return undefined;
    return { snapshot, requestId, ...(incarnation === undefined ? {} : { incarnation }) };
  } catch {
    throw new DroverError('STATE_RESTORE_FAILED', 'restore.json is not readable: select the snapshot again');
  }
};

/** Not while it is in the way of nobody: it is looked at again at the next start. */
export const dropChoice = async ({ archives, tell }: Pick<StateKeeperOptions, 'archives' | 'tell'>): Promise<void> => {
  try {
    await archives.dropChoice();
  } catch (thrown) {
    tell(`restore.json could not be removed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
};

/** The choice that is still to be followed. One that was followed, and whose state is stored, is taken away: it must not come back. */
export const findChoice = async (
  options: StateKeeperOptions,
  marker: StateMarker | undefined,
): Promise<Choice | undefined> => {
  const text = await options.archives.choice();
  const choice = text === undefined ? undefined : parseChoice(text);
  if (choice === undefined) return undefined;
  const isOfOthers = choice.incarnation !== undefined && choice.incarnation !== options.incarnation;
  const isFollowed = choice.requestId === marker?.choice;
  if (isOfOthers || (isFollowed && marker.snapshot !== undefined)) await dropChoice(options);
  return isOfOthers || isFollowed ? undefined : choice;
};

/** The snapshot that must not be removed, because it is wanted. */
export const wantedSnapshot = async (archives: StateArchives): Promise<SnapshotId | undefined> => {
  const text = await archives.choice();
  return text === undefined ? undefined : parseChoice(text)?.snapshot;
};
