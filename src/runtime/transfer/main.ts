/** The transfer process: does the jobs of jobs.ts, one at a time, until its channel closes. */
import { readFile, stat } from 'node:fs/promises';
import { toDroverError } from '../../domain/errors.ts';
import type { StoreAccess } from '../../domain/store-access.ts';
import type { TransferAnswer, TransferJob, TransferQuestion, TransferResult } from './jobs.ts';
import type { OpenWorkers, View, Workers } from './workers.ts';

export interface TransferOptions {
  /** Where {@link StoreAccess} is delivered. Read again when it was replaced: keys are renewed without a restart. */
  readonly accessFile: string;
  readonly open: OpenWorkers;
  /** Absent where nobody looks. */
  readonly view?: View;
}

const failed = (thrown: unknown): TransferResult => {
  const { code, message } = toDroverError(thrown);
  return { kind: 'failed', error: { code, detail: message } };
};

const NO_ACCESS: TransferResult = {
  kind: 'failed',
  error: { code: 'STORAGE_UNAVAILABLE', detail: 'the keys for the archive store were not delivered' },
};

/** The workers for the newest access file; the same ones while it is the same file. */
const createCurrentWorkers = ({ accessFile, open }: TransferOptions) => {
  let opened: { readonly version: string; readonly workers: Workers } | undefined;
  return async (): Promise<{ readonly access: boolean; readonly workers: Workers }> => {
    const found = await stat(accessFile).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    const version =
      found === undefined ? 'none' : `${String(found.mtimeMs)}:${String(found.ino)}:${String(found.size)}`;
    if (opened?.version !== version) {
      const access = found === undefined ? undefined : (JSON.parse(await readFile(accessFile, 'utf8')) as StoreAccess);
      opened = { version, workers: await open(access) };
    }
    return { access: found !== undefined, workers: opened.workers };
  };
};

const readAccess = async (accessFile: string): Promise<StoreAccess | undefined> => {
  try {
    return JSON.parse(await readFile(accessFile, 'utf8')) as StoreAccess;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const doView = async (
  { accessFile, view }: TransferOptions,
  job: Extract<TransferJob, { kind: 'view' }>,
): Promise<TransferResult> => {
  const access = job.access ?? (await readAccess(accessFile));
  if (access === undefined || view === undefined) return NO_ACCESS;
  return { kind: 'view', state: await view(job.source, access) };
};

/** Does one job after the other. Never rejects: what fails is told by the result. */
export const createJobs = (options: TransferOptions): ((job: TransferJob) => Promise<TransferResult>) => {
  const current = createCurrentWorkers(options);
  return async (job) => {
    try {
      if (job.kind === 'view') return await doView(options, job);
      const { access, workers } = await current();
      // A restore goes on without keys: the volume alone may be enough to start from.
      if (job.kind === 'restore') return { kind: 'restore', report: await workers.state.restore() };
      if (!access) return NO_ACCESS;
      return job.kind === 'state'
        ? { kind: 'state', report: await workers.state.sync({ final: job.final }) }
        : { kind: 'logs', report: await workers.logs.ship({ final: job.final }) };
    } catch (thrown) {
      return failed(thrown);
    }
  };
};

/** Serves the parent over process IPC. Resolves to the exit code when the channel closes. */
export const transfer = (options: TransferOptions): Promise<number> =>
  new Promise((resolve) => {
    const doJob = createJobs(options);
    let last: Promise<void> = Promise.resolve();
    // A stop of the container reaches every process; the parent decides when this one ends.
    process.on('SIGTERM', () => undefined).on('SIGINT', () => undefined);
    process.on('message', (message) => {
      const { id, job } = message as TransferQuestion;
      last = last.then(async () => {
        const answer: TransferAnswer = { id, result: await doJob(job) };
        if (process.connected) process.send?.(answer, () => undefined);
      });
    });
    process.once('disconnect', () => {
      resolve(0);
    });
    if (process.send === undefined) resolve(64);
  });
