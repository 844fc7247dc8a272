/**
 * The files of a bot's folder as they will lie in its archive. Links are followed to files and folders inside the folder; what
 * cannot be packed is named, all of it at once.
 */
import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { validateFileName } from 'yauzl';
import { CODE_LIMITS, sizeText } from '../../domain/code-limits.ts';
import { DroverError } from '../../domain/errors.ts';
import { createDependencies, type Dependencies } from './dependencies.ts';
import { isOurs, type PackRules } from './rules.ts';

export interface PackedFile {
  /** In the archive. */
  readonly path: string;
  /** Where its content lies. */
  readonly source: string;
  readonly bytes: number;
  readonly executable: boolean;
}

export interface LeftOut {
  /** A folder ends with `/`. */
  readonly path: string;
  readonly by: string;
}

export interface Walked {
  /** In the order of the archive. */
  readonly files: readonly PackedFile[];
  readonly leftOut: readonly LeftOut[];
}

interface Place {
  /** In the archive; empty for the folder itself. */
  readonly path: string;
  /** On this disk, without links. */
  readonly real: string;
  /** Folders that lead here, without links: one that comes again is a circle. */
  readonly above: readonly string[];
}

const SHOWN = 10;
const DEPENDENCIES = /(^|\/)node_modules(\/|$)/;
const strict = new TextDecoder('utf-8', { fatal: true });

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/** As it was written, with what is no text in hexadecimal. */
const shown = (name: Buffer): string =>
  [...name]
    .map((byte) => (byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16)}` : String.fromCharCode(byte)))
    .join('');

const textOf = (name: Buffer): string | undefined => {
  try {
    return strict.decode(name);
  } catch {
    return undefined;
  }
};

const nameFault = (path: string, name: string): string | undefined => {
  if (name.includes('\\')) return 'has a backslash in its name';
  if (validateFileName(path) !== null) return 'has a name that a ZIP file cannot hold';
  if (Buffer.byteLength(path) > CODE_LIMITS.nameBytes || path.split('/').length > CODE_LIMITS.depth) {
    return 'is nested too deeply';
  }
  return undefined;
};

/** What both the listing of a folder and a look at a file can tell. */
type Kind = Pick<Stats, 'isDirectory' | 'isFile' | 'isFIFO' | 'isSocket' | 'isBlockDevice' | 'isCharacterDevice'>;

const KINDS: readonly (readonly [is: (entry: Kind) => boolean, what: string])[] = [
  [(entry) => entry.isFIFO(), 'is a named pipe'],
  [(entry) => entry.isSocket(), 'is a socket'],
  [(entry) => entry.isBlockDevice() || entry.isCharacterDevice(), 'is a device'],
];

class Walk {
  readonly #rules: PackRules;
  readonly #root: string;
  readonly #dependencies: Dependencies;
  readonly files: PackedFile[] = [];
  readonly leftOut: LeftOut[] = [];
  readonly faults: string[] = [];
  #bytes = 0;

  constructor(root: string, rules: PackRules) {
    this.#root = root;
    this.#rules = rules;
    this.#dependencies = createDependencies(root);
  }

  async all(): Promise<void> {
    await this.#folder({ path: '', real: this.#root, above: [] });
    for (let next = await this.#dependencies.next(); next !== undefined; next = await this.#dependencies.next()) {
      await this.#linked(next.path, next.link, []);
    }
  }

  #isInside(real: string): boolean {
    return real === this.#root || real.startsWith(this.#root + sep);
  }

  #fault(path: string, what: string): void {
    this.faults.push(`${path} ${what}`);
  }

  /** What lies below dependencies is left out as a matter of course, and hidden there are the packer's own files only. */
  #leave(path: string, by: string, isFolder: boolean): void {
    if (!DEPENDENCIES.test(path)) this.leftOut.push({ path: isFolder ? `${path}/` : path, by });
  }

  async #folder(place: Place): Promise<void> {
    this.#dependencies.placed(place.path, place.real);
    let entries: Dirent<Buffer>[];
    try {
      entries = await readdir(Buffer.from(place.real), { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      this.#fault(`${place.path}/`, `cannot be read (${codeOf(error)})`);
      return;
    }
    for (const entry of entries) await this.#entry(place, entry);
  }

  async #entry(place: Place, entry: Dirent<Buffer>): Promise<void> {
    const name = textOf(entry.name);
    if (name === undefined) {
      this.#fault(`${place.path === '' ? '' : `${place.path}/`}${shown(entry.name)}`, 'has a name that is not UTF-8');
      return;
    }
    const path = place.path === '' ? name : `${place.path}/${name}`;
    if (isOurs(path)) return;
    const source = join(place.real, name);
    if (entry.isSymbolicLink()) {
      await this.#linked(path, source, [...place.above, place.real]);
      return;
    }
    await this.#thing(path, source, entry, [...place.above, place.real]);
  }

  async #thing(path: string, source: string, entry: Kind, above: readonly string[]): Promise<void> {
    const isFolder = entry.isDirectory();
    const by = this.#rules.leftOutBy(path, isFolder);
    if (by !== undefined && !(isFolder && this.#rules.holdsKept(path))) {
      this.#leave(path, by, isFolder);
      return;
    }
    const fault = nameFault(path, path.slice(path.lastIndexOf('/') + 1));
    if (fault !== undefined) this.#fault(path, fault);
    else if (isFolder) await this.#folder({ path, real: source, above });
    else if (entry.isFile()) await this.#file(path, source);
    else this.#fault(path, KINDS.find(([is]) => is(entry))?.[1] ?? 'is neither a file nor a folder');
  }

  async #linked(path: string, link: string, above: readonly string[]): Promise<void> {
    const [asFile, asFolder] = [this.#rules.leftOutBy(path, false), this.#rules.leftOutBy(path, true)];
    let real: string;
    try {
      real = await realpath(link);
    } catch (error) {
      // What is left out anyway may lead anywhere.
      if (asFile !== undefined) this.#leave(path, asFile, false);
      else if (codeOf(error) === 'ENOENT') this.#fault(path, 'is a link to something that is not there');
      else this.#fault(path, `is a link that cannot be followed (${codeOf(error)})`);
      return;
    }
    const info = await stat(real);
    const by = info.isDirectory() ? asFolder : asFile;
    if (by !== undefined) {
      this.#leave(path, by, info.isDirectory());
      return;
    }
    if (!this.#isInside(real)) {
      this.#fault(path, `is a link that leads out of the folder, to ${real}`);
      return;
    }
    if (info.isDirectory() && (above.includes(real) || real === this.#root)) {
      this.#leave(path, 'it leads back to a folder above it', true);
      return;
    }
    if (info.isDirectory()) this.#dependencies.linked(path, real);
    await this.#thing(path, real, info, above);
  }

  async #file(path: string, source: string): Promise<void> {
    let info;
    try {
      info = await stat(source);
    } catch (error) {
      this.#fault(path, `cannot be read (${codeOf(error)})`);
      return;
    }
    this.files.push({ path, source, bytes: info.size, executable: (info.mode & 0o111) !== 0 });
    this.#bytes += info.size;
    if (this.files.length > CODE_LIMITS.entries) {
      throw new DroverError('CODE_TOO_LARGE', `${this.#root} holds more than ${String(CODE_LIMITS.entries)} files`);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }
}

/** The largest files, for a message. */
export const largestOf = (files: readonly PackedFile[]): string =>
  [...files]
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ path, bytes }) => `${path} (${sizeText(bytes)})`)
    .join(', ');

/** @throws DroverError CODE_NOT_PACKABLE with each thing that cannot be packed, CODE_TOO_LARGE */
export const walkFolder = async (folder: string, rules: PackRules): Promise<Walked> => {
  const walk = new Walk(await realpath(folder), rules);
  await walk.all();
  const { faults, files, leftOut, bytes } = walk;
  if (faults.length > 0) {
    const more = faults.length > SHOWN ? [`and ${String(faults.length - SHOWN)} more`] : [];
    const list = [...faults.sort().slice(0, SHOWN), ...more].map((fault) => `  ${fault}`);
    throw new DroverError('CODE_NOT_PACKABLE', `the code in ${folder} cannot be packed:\n${list.join('\n')}`);
  }
  if (bytes > CODE_LIMITS.unpackedBytes) {
    throw new DroverError(
      'CODE_TOO_LARGE',
      `the code in ${folder} has ${sizeText(bytes)}, and at most ${sizeText(CODE_LIMITS.unpackedBytes)} are accepted; ` +
        `its largest files are ${largestOf(files)}`,
    );
  }
  return {
    files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
    leftOut: leftOut.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
};
