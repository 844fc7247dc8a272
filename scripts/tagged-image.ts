/** An image built from one Dockerfile: tagged by what is in it, not built again when nothing of that changed. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { DroverError } from '../src/domain/errors.ts';
import { ensureBaseImage, type Progress } from './base-image.ts';

/** Name in the builder's context → content. */
export type ContextFiles = ReadonlyMap<string, Buffer>;

export interface ImageRecipe {
  readonly repository: string;
  /** The image is also found under this tag. */
  readonly tag: string;
  /** For people: `the bot image`. */
  readonly what: string;
  /** Whatever makes it another image, the Dockerfile among it. */
  readonly files: ContextFiles;
  /** What the builder needs besides and what follows from `files`: gathered only to build. */
  readonly gather?: () => Promise<ContextFiles>;
}

const digestOf = (files: ContextFiles): string => {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0] ?? '');
  for (const [name, content] of files) hash.update(name).update(content);
  return hash.digest('hex').slice(0, 12);
};

const isThere = (docker: Docker, tag: string): Promise<boolean> =>
  docker
    .getImage(tag)
    .inspect()
    .then(
      () => true,
      () => false,
    );

const contextOf = (files: ContextFiles): Promise<Buffer> => {
  const tar = pack();
  for (const [name, content] of files) tar.entry({ name, mode: 0o644, mtime: new Date(0) }, content);
  tar.finalize();
  return buffer(tar);
};

const build = async (docker: Docker, recipe: ImageRecipe, tag: string, progress: Progress): Promise<void> => {
  const { what, files, gather } = recipe;
  const base = await ensureBaseImage(docker, progress);
  progress(`building ${what}`);
  const context = await contextOf(new Map([...files, ...((await gather?.()) ?? [])]));
  // The plain builder: it is part of every engine, and one image needs no other.
  const stream = await docker.buildImage(Readable.from([context]), { t: tag, buildargs: { BASE: base }, version: '1' });
  await new Promise<void>((done, reject) => {
    docker.modem.followProgress(
      stream,
      (error: Error | null, output: { error?: string }[] | null) => {
        const failed = error?.message ?? output?.find((line) => line.error !== undefined)?.error;
        if (failed === undefined) done();
        else reject(new DroverError('IMAGE_UNAVAILABLE', `${what} could not be built: ${failed}`));
      },
      (event: { stream?: string }) => {
        progress(`building ${what}`, event.stream?.trim());
      },
    );
  });
};

/**
 * Makes the image if need be. Returns the tag of its content; the recipe's tag names the same image.
 * @throws DroverError IMAGE_UNAVAILABLE
 */
export const ensureTaggedImage = async (docker: Docker, recipe: ImageRecipe, progress: Progress): Promise<string> => {
  const tag = `${recipe.repository}:${digestOf(recipe.files)}`;
  if (!(await isThere(docker, tag))) await build(docker, recipe, tag, progress);
  await docker.getImage(tag).tag({ repo: recipe.repository, tag: recipe.tag });
  return tag;
};
