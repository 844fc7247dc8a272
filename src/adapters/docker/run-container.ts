/** A short-lived container of ours: made, given what it needs, run to its end, read, and removed whatever happens. */
import type Docker from 'dockerode';
import type { ContainerCreateOptions } from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import type { ToolResult } from '../../ports/container-tools.ts';
import { doneAlso, statusOf, toEngineError } from './docker-errors.ts';
import { readOutput } from './read-output.ts';

export interface ShortLived {
  readonly docker: Docker;
  /** A leftover of the same name, where the name is not random, is removed first: what it did is done again. */
  readonly options: ContainerCreateOptions & { readonly name: string };
  /** Before it starts; false: there is nothing to be run. */
  readonly prepare: (container: Docker.Container, signal: AbortSignal) => Promise<boolean>;
  readonly timeoutMs: number;
  /** @throws DroverError LEASE_LOST */
  readonly mayAct: () => void;
}

const MAX_OUTPUT = 1024 * 1024;

const remove = (container: Docker.Container): Promise<void> =>
  doneAlso([404, 409], () => container.remove({ force: true, v: true }));

const create = async ({ docker, options, mayAct }: ShortLived): Promise<Docker.Container> => {
  mayAct();
  try {
    return await docker.createContainer(options);
  } catch (thrown) {
    if (statusOf(thrown) !== 409) throw thrown;
    mayAct();
    await remove(docker.getContainer(options.name));
    mayAct();
    return docker.createContainer(options);
  }
};

const outputOf = (container: Docker.Container, stream: 'stdout' | 'stderr'): Promise<string> =>
  readOutput(container, { stdout: stream === 'stdout', stderr: stream === 'stderr', most: MAX_OUTPUT });

/** Undefined when `prepare` says that there is nothing to be run. @throws DroverError ENGINE_TIMEOUT, and as the engine does */
export const runContainer = async (job: ShortLived): Promise<ToolResult | undefined> => {
  const { prepare, timeoutMs, mayAct } = job;
  const late = AbortSignal.timeout(timeoutMs);
  let container: Docker.Container | undefined;
  try {
    container = await create(job);
    if (!(await prepare(container, late))) return undefined;
    mayAct();
    await container.start({ abortSignal: late });
    const { StatusCode: code } = (await container.wait({ abortSignal: late })) as { StatusCode: number };
    const [output, complaints] = await Promise.all([outputOf(container, 'stdout'), outputOf(container, 'stderr')]);
    return { code, output, complaints };
  } catch (thrown) {
    if (late.aborted) {
      throw new DroverError('ENGINE_TIMEOUT', `${job.options.name} did not end within ${String(timeoutMs)} ms`);
    }
    throw toEngineError(thrown);
  } finally {
    // Ours and short-lived: removing it needs no lease.
    if (container !== undefined) await remove(container).catch(() => undefined);
  }
};
