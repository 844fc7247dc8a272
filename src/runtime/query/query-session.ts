/**
 * `runtime query`: an ephemeral query container from the inside (features F2, F9). The controller tells what to prepare,
 * then one query after the other, in frames; when it lets go of our standard input there is nobody left to answer.
 */
import { toDroverError, DroverError } from '../../domain/errors.ts';
import { createFrameParser, type QueryOrder } from '../../domain/query-frames.ts';
import { parseJson } from '../../domain/parse-json.ts';
import { answerQuery } from './answer-query.ts';
import { makeOutputPipes } from './output-pipes.ts';
import { prepareQueries, type Prepared } from './prepare-queries.ts';
import { createSpeaker } from './speak.ts';

const FAILED = 1;
/** What the controller sends was bounded where it came from. */
const ORDER_LIMITS = { maxDepth: 200, maxValues: Infinity } as const;

/** All other processes of the container go with us: we are what its first process waits for. */
const leave = (): never => process.exit(0);

const misspoken = (why: string): DroverError =>
  new DroverError('REQUEST_INVALID', `invalid message of the controller: ${why}`);

/** Calls `on` for each order as it comes; `fail` for what is none. */
const hearOrders = (on: (order: QueryOrder) => void, fail: (error: DroverError) => void): void => {
  const parse = createFrameParser();
  process.stdin.on('data', (bytes: Buffer) => {
    try {
      for (const frame of parse(bytes)) {
        if (frame.kind !== 'word') throw new Error('it sent unexpected data');
        on(parseJson(frame.text, ORDER_LIMITS) as QueryOrder);
      }
    } catch (thrown) {
      process.stdin.removeAllListeners('data').pause();
      fail(misspoken(thrown instanceof Error ? thrown.message : String(thrown)));
    }
  });
};

/** Resolves with the exit code once nothing can be answered; ends the process when nobody asks any more. */
export const answerQueries = (): Promise<number> =>
  new Promise((resolve) => {
    const makingPipes = makeOutputPipes();
    makingPipes.catch(() => undefined);
    const speaker = createSpeaker(process.stdout);
    let prepared: (Prepared & { readonly maxReplyBytes: number }) | undefined;
    let hasFailed = false;

    const fail = (thrown: unknown): void => {
      if (hasFailed) return;
      hasFailed = true;
      const { code, message } = toDroverError(thrown);
      process.stderr.write(`drover: ${message} [${code}]\n`);
      void speaker.say({ kind: 'failed', code, detail: message }).then(() => {
        resolve(FAILED);
      });
    };
    const follow = async (order: QueryOrder): Promise<void> => {
      if (order.kind === 'prepare') {
        if (prepared !== undefined) throw misspoken('the container was already prepared');
        const { maxReplyBytes } = order;
        prepared = { ...(await prepareQueries(order, makingPipes)), maxReplyBytes };
        await speaker.say({ kind: 'ready', state: prepared.state });
        return;
      }
      if (prepared === undefined) throw misspoken('the container is not prepared');
      await answerQuery(order, { ...prepared, speaker });
    };

    // A broken reader of our output is a controller that is gone; one of our complaints is nobody's loss.
    process.stdout.on('error', leave);
    process.stderr.on('error', () => undefined);
    process.on('SIGTERM', leave).on('SIGINT', leave);
    process.stdin.on('end', leave).on('close', leave).on('error', leave);
    let last = Promise.resolve();
    hearOrders((order) => {
      last = last.then(() => (hasFailed ? undefined : follow(order))).catch(fail);
    }, fail);
  });
