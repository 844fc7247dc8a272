/**
 * Keys that are nearly ours where others may have keys, too: the reference ignores what it does not know, and programs write
 * fields of their own. A slip is told; everything else is theirs.
 */
import { isObject } from '../domain/json.ts';
import { pointerOf, type DocumentFault } from './faults.ts';
import { nearestName, slipsIn } from './nearest-name.ts';
import { SETTING_NAMES } from './own-settings.ts';

interface Place {
  readonly at: string;
  readonly of: (document: Readonly<Record<string, unknown>>) => unknown;
  /** Read here, by us or by the reference. */
  readonly known: readonly string[];
  /** Those of them that decide something: only a slip in one of these does harm. */
  readonly ours: readonly string[];
}

const within =
  (...path: readonly string[]) =>
  (document: unknown): unknown =>
    path.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), document);

const ROOT = ['id', 'config', 'custom', 'drover', 'enabled'];
const DESCRIPTION = ['name', 'description', 'version', 'author', 'schema', 'readme', 'metadata', 'hasFrontend'];

const PLACES: readonly Place[] = [
  { at: '', of: within(), known: ROOT, ours: ROOT },
  {
    at: '/custom',
    of: within('custom'),
    known: ['version', 'filePath', 'config', 'createdAt', 'updatedAt'],
    ours: ['version', 'filePath', 'config'],
  },
  {
    at: '/custom/config',
    of: within('custom', 'config'),
    known: [...DESCRIPTION, 'runtime', 'type', 'entrypoints'],
    ours: ['runtime', 'type', 'entrypoints'],
  },
  {
    at: '/custom/config/entrypoints',
    of: within('custom', 'config', 'entrypoints'),
    known: ['bot', 'query', 'stop'],
    ours: ['bot', 'query', 'stop'],
  },
];

/** `_id`, `_class`, `$schema`: of a store or a tool. */
const isForeign = (key: string): boolean => /^[_$]/.test(key);
const exactly = (): number => 0;

const slip = (at: string, key: string, nearest: string | undefined): DocumentFault[] =>
  nearest === undefined
    ? []
    : [{ pointer: pointerOf(at, [key]), message: `is not known; did you mean \`${nearest}\`?` }];

const settingAtRoot = (key: string): DocumentFault[] => {
  const setting = nearestName(key, SETTING_NAMES, slipsIn);
  return setting === undefined
    ? []
    : [{ pointer: pointerOf('', [key]), message: `is not known here; did you mean \`drover.${setting}\`?` }];
};

/** Keys of a document that are probably meant for us and are not. What is below `drover` is looked at elsewhere. */
export const misspeltKeys = (document: Readonly<Record<string, unknown>>): readonly DocumentFault[] => {
  const slips = PLACES.flatMap(({ at, of, known, ours }) => {
    const place = of(document);
    if (!isObject(place)) return [];
    return Object.keys(place)
      .filter((key) => !known.includes(key) && !isForeign(key))
      .flatMap((key) => {
        const found = slip(at, key, nearestName(key, ours, slipsIn));
        return found.length > 0 || at !== '' ? found : settingAtRoot(key);
      });
  });
  // The rest of `config` is the bot's; only another spelling of these two can be nothing else.
  const { config } = document;
  const inConfig = isObject(config)
    ? Object.keys(config)
        .filter((key) => key !== 'enabled' && key !== 'drover')
        .flatMap((key) => slip('/config', key, nearestName(key, ['enabled', 'drover'], exactly)))
    : [];
  return [...slips, ...inConfig];
};
