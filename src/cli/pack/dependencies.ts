/**
 * Dependencies that a package manager keeps in one place and links from `node_modules`, as pnpm does. Node looks for what such a package
 * requires beside the place that the link leads to; in an archive without links that is laid where Node finds it.
 */
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';

export interface Dependencies {
  /** This folder lies in the archive under this path. */
  placed(path: string, real: string): void;
  /** This path of the archive is a link to a folder. */
  linked(path: string, real: string): void;
  /** What still has to be laid somewhere, one by one: the link that leads to it, and its path in the archive. */
  next(): Promise<{ readonly path: string; readonly link: string } | undefined>;
}

interface Package {
  /** In the archive. */
  readonly path: string;
  readonly name: string;
  /** The `node_modules` that it really lies in. */
  readonly home: string;
}

const MODULES = 'node_modules';

/** `node_modules/x` or `node_modules/@scope/x`, with the folder that it lies in. */
const packageAt = (real: string): Omit<Package, 'path'> | undefined => {
  const parent = dirname(real);
  if (basename(parent) === MODULES) return { name: basename(real), home: parent };
  const above = dirname(parent);
  return basename(above) === MODULES && basename(parent).startsWith('@')
    ? { name: `${basename(parent)}/${basename(real)}`, home: above }
    : undefined;
};

const namesIn = async (home: string): Promise<string[]> => {
  const names: string[] = [];
  for (const name of await readdir(home)) {
    if (name.startsWith('.')) continue;
    if (!name.startsWith('@')) names.push(name);
    else names.push(...(await readdir(join(home, name))).map((inner) => `${name}/${inner}`));
  }
  return names.sort();
};

/** Folders in which Node looks for what a package at this path requires, nearest first. */
const searched = (path: string): string[] => {
  const parts = path.split('/');
  return Array.from({ length: parts.length + 1 }, (_none, above) => parts.slice(0, parts.length - above))
    .filter((folder) => folder.at(-1) !== MODULES)
    .map((folder) => [...folder, MODULES].join('/'));
};

/** The outermost `node_modules` of a path. */
const outermost = (path: string): string => {
  const parts = path.split('/');
  return parts.slice(0, parts.indexOf(MODULES) + 1).join('/');
};

/** `root`: the bot's folder, without links. */
export const createDependencies = (root: string): Dependencies => {
  /** Path in the archive → what lies there. */
  const places = new Map<string, string>();
  const packages: Package[] = [];
  const waiting: { readonly path: string; readonly link: string }[] = [];

  /** Only what the archive does not hold as it is: its own `node_modules` is somewhere below a hidden name. */
  const isKeptElsewhere = (home: string): boolean =>
    relative(root, home)
      .split(sep)
      .some((part) => part.startsWith('.'));

  const layOut = async ({ path, name, home }: Package): Promise<void> => {
    for (const needed of await namesIn(home)) {
      if (needed === name) continue;
      const link = join(home, needed);
      // One that leads nowhere is named when it is laid out.
      const real = await realpath(link).catch(() => link);
      const known = searched(path)
        .map((folder) => places.get(`${folder}/${needed}`))
        .find((place) => place !== undefined);
      if (known === real) continue;
      // Where all find it, unless another version lies there.
      const at = `${known === undefined ? outermost(path) : `${path}/${MODULES}`}/${needed}`;
      places.set(at, real);
      waiting.push({ path: at, link });
    }
  };

  return {
    placed: (path, real) => void places.set(path, real),
    linked(path, real) {
      const found = path.includes(MODULES) ? packageAt(real) : undefined;
      if (found !== undefined && isKeptElsewhere(found.home)) packages.push({ ...found, path });
    },
    async next() {
      while (waiting.length === 0) {
        const one = packages.shift();
        if (one === undefined) return undefined;
        await layOut(one);
      }
      return waiting.shift();
    },
  };
};
