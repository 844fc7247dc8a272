import type { ExitClass } from '../../src/domain/bot-event.ts';
import { code, next, page } from './markdown.ts';

interface Note {
  readonly when: string;
  readonly follows: string;
}

/** The compiler refuses a new class without a note. Rules: `machines/classify-exit.ts`, `assess.ts` and `amend-parts.ts`. */
const NOTES = {
  completed: {
    when: 'The bot ended by itself with exit code 0.',
    follows:
      'It is restarted under the restart policy `always`. Under `on-failure` and `never` it stays stopped. It does not count as a crash.',
  },
  appError: {
    when: 'The bot ended by itself with another exit code, or by a signal of its own fault, such as SIGSEGV.',
    follows: 'It counts as a crash. It is restarted after a backoff, unless the restart policy is `never`.',
  },
  oom: {
    when: 'The kernel killed the bot, or its whole container, because it used more memory than its limit.',
    follows: 'It counts as a crash. Raise `memoryMb` in the document, or BOT_MEMORY_LIMIT_MB.',
  },
  stoppedByUs: {
    when: 'drover stopped the container: the bot was disabled, deleted, drained, restarted, or has a new spec.',
    follows: 'It does not count as a crash.',
  },
  killedByOthers: {
    when: 'Somebody else stopped, killed or removed the container.',
    follows: 'It counts as a crash. The bot is started again after a backoff.',
  },
  startError: {
    when: 'The container ended before the bot ran: its code, its state or its configuration could not be prepared.',
    follows:
      'The event names an error code. A terminal error ends the attempts; other errors are retried. Errors outside the bot, such as an ' +
      'archive store that is away, do not count as a crash.',
  },
  engineLost: {
    when: 'The container ended while the Docker Engine itself was away.',
    follows: 'It does not count as a crash. The bot is started again.',
  },
} as const satisfies Record<ExitClass, Note>;

export const exitClassesPage = (): string =>
  page(
    '# Exit classes',
    'This page is for operators who want to know why a bot ended. It lists the classes that drover sorts each end into, and what follows.',
    'drover decides the class from what the engine says and from the report that the runtime writes inside the container. It ' +
      'believes neither an exit code of 137 nor the out-of-memory flag of the engine alone. You see the class in `drover get <bot>`, in ' +
      'the event `ContainerExited`, and in `lastExit` of the API.',
    ...Object.entries(NOTES).map(([name, { when, follows }]) => [`## ${name}`, when, follows].join('\n\n')),
    `After MAX_CRASHES crashes within CRASH_WINDOW, drover gives up: the bot is ${code('failed.exhausted')} until its spec changes or you ` +
      `run ${code('drover reset <bot>')}.`,
    next(
      '[States and conditions](states-and-conditions.md)',
      '[Troubleshoot](../how-to/troubleshoot.md)',
      '[Errors](errors.md)',
    ),
  );
