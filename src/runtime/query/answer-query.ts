/** One query: its program runs to its end or its deadline, and what it left is handed over. Then nothing of it is left. */
import type { QueryOrder } from '../../domain/query-frames.ts';
import { jsonText } from '../../domain/json-text.ts';
import type { Leftovers } from './leftovers.ts';
import type { QueryProgram } from './query-program.ts';
import type { QueryPrograms } from './query-programs.ts';
import { openResult } from './query-result.ts';
import type { Speaker } from './speak.ts';
import { queryVariables } from './variables.ts';

export type Ask = Extract<QueryOrder, { kind: 'ask' }>;

export interface AnswerOptions {
  readonly programs: QueryPrograms;
  readonly leftovers: Leftovers;
  readonly speaker: Speaker;
  readonly maxReplyBytes: number;
}

const NOT_RUN = 127;
/** The longest a timer can wait. */
const MAX_MS = 2 ** 31 - 1;

/** Ends whichever program the query has by then, and says whether it had to. */
const deadline = (ms: number) => {
  let isOver = false;
  let current: QueryProgram | undefined;
  const timer = setTimeout(
    () => {
      isOver = true;
      current?.kill();
    },
    Math.min(ms, MAX_MS),
  );
  return {
    watch(program: QueryProgram): void {
      current = program;
      if (isOver) program.kill();
    },
    isOver: () => isOver,
    end: () => {
      clearTimeout(timer);
    },
  };
};

/** @throws when what the query left cannot be removed: then nobody may be answered any more */
export const answerQuery = async (
  { id, path, params, timeoutMs }: Ask,
  { programs, leftovers, speaker, maxReplyBytes }: AnswerOptions,
): Promise<void> => {
  await speaker.say({ kind: 'begun', id });
  const limit = deadline(timeoutMs);
  let program: QueryProgram;
  let exitCode: number;
  try {
    program = await programs.run(queryVariables(path, jsonText(params)), limit.watch);
    exitCode = await program.ended;
  } catch (thrown) {
    const output = `drover: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    await speaker.say({ kind: 'none', id, exitCode: NOT_RUN, output });
    return;
  } finally {
    limit.end();
  }
  await leftovers.kill([programs.waiting()]);
  const result = limit.isOver() ? undefined : openResult();
  try {
    if (result !== undefined && result.bytes <= maxReplyBytes) {
      await speaker.reply({ kind: 'reply', id, exitCode, bytes: result.bytes }, result.pieces());
    } else {
      const output = await program.lastWords();
      const why = limit.isOver()
        ? { timedOut: true as const }
        : result !== undefined
          ? { tooLarge: true as const }
          : {};
      await speaker.say({ kind: 'none', id, exitCode, output, ...why });
    }
  } finally {
    result?.close();
    program.close();
  }
  leftovers.remove();
};
