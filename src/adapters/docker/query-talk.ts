/**
 * The conversation with `runtime query` over the standard streams of its container: orders go in, words and data come out. A reply
 * that is not read stops the container's output: nothing is gathered here but a frame.
 */
import { Readable } from 'node:stream';
import { DroverError, isErrorCode } from '../../domain/errors.ts';
import { NotBegun } from '../../domain/query.ts';
import {
  createFrameParser,
  encodeWord,
  MAX_SAID_BYTES,
  type QueryOrder,
  type QueryWord,
} from '../../domain/query-frames.ts';
import type { ContainerReply, QueryCall } from '../../ports/query-containers.ts';
import { createLetGo } from '../common/let-go.ts';
import { parseWord } from './query-words.ts';
import { createLastBytes, createSplitter } from './split-streams.ts';

type None = Extract<QueryWord, { kind: 'none' }>;

/** Turns what only the engine can explain into an error: why there is no result, why the conversation ended. */
export interface Explain {
  none(word: None): Promise<DroverError>;
  /** `complaints`: the last of its standard error. */
  ended(complaints: string): Promise<DroverError>;
}

/** What the engine's client gives for an attach. */
export type AttachStream = NodeJS.ReadWriteStream & { destroy(): unknown };

export interface Talk {
  ask(call: QueryCall, signal: AbortSignal): Promise<ContainerReply>;
  readonly ended: AbortSignal;
  /** Ends it from our side: the container hears that nobody asks any more. */
  end(): void;
}

interface Asked {
  readonly id: number;
  /** From then on it may have done something. */
  isBegun: boolean;
  readonly resolve: (reply: ContainerReply) => void;
  readonly reject: (error: Error) => void;
}

interface Reply {
  readonly id: number;
  readonly body: Readable;
  left: number;
}

const COMPLAINTS = 8 * 1024;

const invalid = (what: string, cause?: unknown): DroverError =>
  new DroverError('QUERY_REPLY_INVALID', what, cause === undefined ? {} : { cause });

export const createTalk = (stream: AttachStream, prepare: QueryOrder, explain: Explain): Talk => {
  const ended = new AbortController();
  const complaints = createLastBytes(COMPLAINTS);
  const parse = createFrameParser(MAX_SAID_BYTES);
  const passed = createLetGo();
  let count = 0;
  let state: string | undefined;
  let asked: Asked | undefined;
  let reply: Reply | undefined;
  /** Why nothing can be asked any more. */
  let over: Promise<DroverError> | undefined;

  const end = (why: () => Promise<DroverError>): void => {
    if (over !== undefined) return;
    over = why();
    const waiting = asked;
    const reading = reply;
    asked = undefined;
    reply = undefined;
    stream.destroy();
    void over.then((error) => {
      waiting?.reject(waiting.isBegun ? error : new NotBegun(error));
      reading?.body.destroy(error);
    });
    ended.abort();
  };
  const endWith = (error: DroverError): void => {
    end(() => Promise.resolve(error));
  };

  const bodyOf = (): Readable => {
    const body = new Readable({
      read() {
        stream.resume();
      },
      destroy(error, done) {
        // What its reader does not want is let pass, so that the container does not stand still before its removal.
        stream.resume();
        done(error);
      },
    });
    // It may break off before its reader looks at it, who is told then.
    return body.on('error', () => undefined);
  };

  const hear = (word: QueryWord): void => {
    switch (word.kind) {
      case 'ready':
        if (state !== undefined) throw new Error('it reported ready twice');
        state = word.state;
        return;
      case 'failed':
        // Once code of the bot has run, anybody in there may have said it: it is told as no more than that.
        if (state !== undefined) throw new Error(`it reported a failure: ${word.detail}`);
        endWith(new DroverError(isErrorCode(word.code) ? word.code : 'INTERNAL', word.detail));
        return;
      case 'begun':
        if (asked?.id !== word.id || asked.isBegun) throw new Error('it began an unknown query');
        asked.isBegun = true;
        return;
      case 'reply': {
        if (asked?.id !== word.id || state === undefined) throw new Error('it replied to an unknown query');
        const body = bodyOf();
        reply = { id: word.id, body, left: word.bytes };
        asked.resolve({ exitCode: word.exitCode, bytes: word.bytes, body, state });
        asked = undefined;
        return;
      }
      case 'end':
        if (reply?.id !== word.id || reply.left !== 0) throw new Error('the reply does not have the announced length');
        reply.body.push(null);
        reply = undefined;
        return;
      case 'none': {
        if (asked?.id !== word.id) throw new Error('it ended an unknown query');
        const { reject } = asked;
        asked = undefined;
        void explain.none(word).then(reject);
        return;
      }
    }
  };

  const take = (bytes: Buffer): void => {
    if (reply === undefined || bytes.length > reply.left) throw new Error('it sent unexpected data');
    reply.left -= bytes.length;
    passed(bytes.length);
    if (!reply.body.destroyed && !reply.body.push(bytes)) stream.pause();
  };

  const split = createSplitter({
    onStdout(bytes) {
      for (const frame of parse(bytes)) {
        if (over !== undefined) return;
        if (frame.kind === 'data') take(frame.bytes);
        else hear(parseWord(frame.text));
      }
    },
    onStderr: complaints.add,
  });

  stream.on('data', (bytes: Buffer) => {
    if (over !== undefined) return;
    try {
      split(bytes);
    } catch (thrown) {
      const what = thrown instanceof Error ? thrown.message : String(thrown);
      endWith(invalid(`the query container sent an invalid message: ${what}`, thrown));
    }
  });
  const close = (): void => {
    end(() => explain.ended(complaints.text()));
  };
  stream.on('end', close).on('close', close).on('error', close);
  stream.write(encodeWord(prepare));

  return {
    async ask({ path, params, timeoutMs }, signal) {
      signal.throwIfAborted();
      if (over !== undefined) throw new NotBegun(await over);
      if (asked !== undefined || reply !== undefined) {
        throw new DroverError('INTERNAL', 'a query container answers one query at a time');
      }
      const id = (count += 1);
      return new Promise((resolve, reject) => {
        const abort = (): void => {
          const reason: unknown = signal.reason;
          const error = reason instanceof Error ? reason : new Error(String(reason));
          reject(error);
          if (reply?.id === id) reply.body.destroy(error);
        };
        const done = (): void => {
          signal.removeEventListener('abort', abort);
        };
        signal.addEventListener('abort', abort);
        asked = {
          id,
          isBegun: false,
          resolve(given) {
            given.body.once('close', done);
            // Too late for it: what comes is let pass.
            if (signal.aborted) given.body.destroy();
            resolve(given);
          },
          reject(error) {
            done();
            reject(error);
          },
        };
        stream.write(encodeWord({ kind: 'ask', id, path, params, timeoutMs }));
      });
    },
    ended: ended.signal,
    end() {
      endWith(invalid('the query container was removed'));
    },
  };
};
