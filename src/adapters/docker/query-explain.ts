/** Why a query container gave no result, in words: what it said itself, and what only the engine knows. Never throws. */
import type Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import type { Explain } from './query-talk.ts';

const LOOK_MS = 1_000;
/** Longer than a query may take. */
const LOOK_BACK_S = 3_600;
const KILLED = 137;

/** Of one that ended: of one that runs on, while only a program in it was killed, the engine's look says nothing. */
const endedOutOfMemory = async (container: Docker.Container): Promise<boolean> => {
  try {
    return (await container.inspect({ abortSignal: AbortSignal.timeout(LOOK_MS) })).State.OOMKilled;
  } catch {
    return false;
  }
};

/** Of a program in one that runs on: the engine's events say it, a little after the kernel has done it. */
const killedOutOfMemory = async (docker: Docker, { id }: Docker.Container): Promise<boolean> => {
  const now = Math.floor(Date.now() / 1_000);
  const abortSignal = AbortSignal.timeout(LOOK_MS);
  try {
    const filters = { container: [id], event: ['oom'] };
    const events = await docker.getEvents({ since: now - LOOK_BACK_S, until: now + 1, filters, abortSignal });
    // The first one says it all.
    for await (const _event of events) return true;
    return false;
  } catch {
    return false;
  }
};

/** Exit code of one whose connection closed; undefined while it runs on, or when nobody can tell. */
const exitCodeOf = async (container: Docker.Container): Promise<number | undefined> => {
  try {
    const { StatusCode } = (await container.wait({ abortSignal: AbortSignal.timeout(LOOK_MS) })) as {
      StatusCode: number;
    };
    return StatusCode;
  } catch {
    return undefined;
  }
};

const withOutput = (what: string, output: string): string =>
  output.trim() === '' ? what : `${what}: ${output.trim()}`;

const OUT_OF_MEMORY = 'ran out of memory and was killed';

export const createExplain = (docker: Docker, container: Docker.Container): Explain => ({
  async none({ exitCode, output, tooLarge, timedOut }) {
    if (tooLarge === true) return new DroverError('QUERY_REPLY_TOO_LARGE', 'the reply is larger than the limit');
    if (timedOut === true) {
      return new DroverError(
        'QUERY_TIMEOUT',
        withOutput('the query program did not end in time and was killed', output),
      );
    }
    const isOom = exitCode === KILLED && (await killedOutOfMemory(docker, container));
    const how = isOom ? OUT_OF_MEMORY : `ended with exit code ${String(exitCode)} and left no result`;
    return new DroverError('QUERY_NO_RESULT', withOutput(`the query program ${how}`, output));
  },
  async ended(complaints) {
    const exitCode = await exitCodeOf(container);
    const isOom = exitCode === KILLED && (await endedOutOfMemory(container));
    const how = isOom
      ? OUT_OF_MEMORY
      : exitCode === undefined
        ? 'closed the connection'
        : `ended with exit code ${String(exitCode)} before its reply was complete`;
    return new DroverError('QUERY_REPLY_INVALID', withOutput(`the query container ${how}`, complaints));
  },
});
