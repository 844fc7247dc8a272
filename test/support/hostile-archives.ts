/** The corpus of fault R34: code archives nobody packs by accident. Each has a `main.js` that would run. */
import { deflatedZeros, rawZip, type RawEntry } from './raw-zip.ts';

const MAIN: RawEntry = { name: 'main.js', content: `exports.main = () => console.log('hostile code runs');` };
const GIB4 = 4 * 1024 ** 3 - 1;
const having =
  (...entries: RawEntry[]): (() => Buffer) =>
  () =>
    rawZip([MAIN, ...entries]);
const named = (name: string): (() => Buffer) => having({ name });

export interface Hostile {
  readonly name: string;
  readonly make: () => Buffer;
  /** What the bot's reason says; `runs`: it is harmless once unpacked as we do. */
  readonly becomes: RegExp | 'runs';
}

const UNSAFE = /^ArchiveUnsafe$/;
const CORRUPT = /^ArchiveCorrupt$/;
const EITHER = /^Archive(Unsafe|Corrupt)$/;

export const HOSTILE: readonly Hostile[] = [
  { name: 'parent', make: named('../evil'), becomes: 'runs' },
  { name: 'grandparent', make: named('a/../../evil'), becomes: 'runs' },
  { name: 'absolute', make: named('/state/evil'), becomes: 'runs' },
  { name: 'drive', make: named('C:/evil'), becomes: 'runs' },
  { name: 'backslash', make: named('..\\evil'), becomes: 'runs' },
  { name: 'dotted', make: named('a/./evil'), becomes: 'runs' },
  { name: 'local-name', make: having({ name: 'fine.js', localName: '../evil' }), becomes: 'runs' },
  { name: 'symlink', make: having({ name: 'out', content: '/state', mode: 0o120777 }), becomes: 'runs' },
  {
    name: 'through-symlink',
    make: having({ name: 'out', content: '/state', mode: 0o120777 }, { name: 'out/evil' }),
    becomes: 'runs',
  },
  { name: 'character-device', make: having({ name: 'null', mode: 0o020666 }), becomes: 'runs' },
  { name: 'block-device', make: having({ name: 'disk', mode: 0o060666 }), becomes: 'runs' },
  { name: 'pipe', make: having({ name: 'pipe', mode: 0o010666 }), becomes: 'runs' },
  { name: 'socket', make: having({ name: 'socket', mode: 0o140666 }), becomes: 'runs' },
  // The last one counts, as if both were written.
  { name: 'twice', make: () => rawZip([{ name: 'main.js', content: 'process.exit(9)' }, MAIN]), becomes: 'runs' },
  { name: 'file-and-folder', make: having({ name: 'main.js/x' }), becomes: EITHER },
  { name: 'case-twins', make: having({ name: 'Main.js' }, { name: 'é' }, { name: 'e\u0301' }), becomes: 'runs' },
  {
    name: 'bomb',
    make: having({ name: 'bomb', deflated: deflatedZeros(4_096), declaredSize: GIB4 }),
    becomes: UNSAFE,
  },
  {
    name: 'lying-bomb',
    make: having({ name: 'bomb', deflated: deflatedZeros(4_096), declaredSize: 4_000 }),
    becomes: CORRUPT,
  },
  { name: 'million', make: () => rawZip([MAIN, { name: '0000000' }], 1_000_000), becomes: UNSAFE },
  {
    name: 'overlapping',
    make: () => rawZip([MAIN, { name: '00000', deflated: deflatedZeros(64), declaredSize: 64 * 1024 ** 2 }], 1_000),
    becomes: UNSAFE,
  },
  { name: 'deep', make: named(`${'d/'.repeat(1_000)}f`), becomes: 'runs' },
  { name: 'long', make: named('n'.repeat(5_000)), becomes: 'runs' },
  { name: 'nul', make: named('a\0b'), becomes: 'runs' },
  { name: 'encrypted', make: having({ name: 'secret', flags: 1 }), becomes: EITHER },
  { name: 'setuid', make: having({ name: 'suid', mode: 0o106777 }), becomes: 'runs' },
];
