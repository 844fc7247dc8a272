/** Changes that a change stream shows in the documents of one kind, also those that other programs make. */
import type { ChangeStreamDocument, Document } from 'mongodb';
import type { SpecChange } from '../common/spec-change.ts';
import { NOTES, readStoredBot } from './bot-document.ts';
import { watchCollection } from './watch-collection.ts';
import type { WishPlace } from './wish-place.ts';

const ANY: SpecChange = { id: undefined, asked: undefined };

/** Fields at the root that an update touched; undefined for what is no update. */
const touchedBy = (event: ChangeStreamDocument): readonly string[] | undefined => {
  if (!('updateDescription' in event)) return undefined;
  const { updatedFields, removedFields, truncatedArrays } = event.updateDescription;
  const truncated = (truncatedArrays ?? []).map(({ field }) => field);
  const paths = [...Object.keys(updatedFields ?? {}), ...(removedFields ?? []), ...truncated];
  return paths.map((path) => path.split('.')[0] ?? path);
};

/** In the background, until aborted. What `writer` wrote itself is not told: whoever wrote it did that. */
export const watchDocuments = (
  place: WishPlace,
  writer: string,
  signal: AbortSignal,
  tell: (change: SpecChange) => void,
): void => {
  const onEvent = (event: ChangeStreamDocument): void => {
    const touched = touchedBy(event);
    if (touched !== undefined && touched.length > 0 && touched.every((field) => place.aside.includes(field))) return;
    const full = 'fullDocument' in event ? (event.fullDocument as Document | undefined) : undefined;
    const bot = full === undefined ? undefined : readStoredBot(full, place.aside);
    if (bot === undefined) {
      tell(ANY);
      return;
    }
    const touchesNotes = touched?.includes(NOTES) !== false;
    if (touchesNotes && !bot.edited && bot.notes?.writer === writer) return;
    tell({ id: bot.id, asked: bot.edited ? undefined : bot.notes?.asked });
  };
  let lost = false;
  watchCollection(place.documents, signal, {
    onEvent,
    onState: (works) => {
      if (works && lost) tell(ANY);
      lost = !works;
    },
  });
};
