/** `PUT /v1/archives/<path>`: code on its way to the archive store. It is streamed: whatever its size, a piece of it is in memory. */
import { createHash } from 'node:crypto';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import type { Context, Handler } from 'hono';
import { CODE_LIMITS, sizeText } from '../domain/code-limits.ts';
import { DroverError } from '../domain/errors.ts';
import type { ArchiveStore } from '../ports/archive-store.ts';
import { answerUnread } from './answer-unread.ts';

/** As RFC 9530 has it: `sha-256=:<base64>:`, possibly among others. */
const DIGEST = /(?:^|[,\s])sha-256=:([A-Za-z0-9+/]{43}=):/;

/** Ends the stream with the reason when it is too long, or is not what was announced. */
class Checked extends Transform {
  bytes = 0;
  /** Why it was ended here, if it was. */
  refusal: { readonly status: 413 | 422; readonly message: string } | undefined;
  readonly #hash = createHash('sha256');
  readonly #announced: string | undefined;
  sha256 = '';

  constructor(announced: string | undefined) {
    super();
    this.#announced = announced;
  }

  #refuse(status: 413 | 422, message: string, done: TransformCallback): void {
    this.refusal = { status, message };
    done(new DroverError('REQUEST_INVALID', message));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    if (this.bytes > CODE_LIMITS.archiveBytes) {
      this.#refuse(413, tooLarge, done);
      return;
    }
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const digest = this.#hash.digest();
    this.sha256 = digest.toString('hex');
    if (this.#announced === undefined || this.#announced === digest.toString('base64')) done();
    else this.#refuse(422, 'the body does not have the digest that `content-digest` announces', done);
  }
}

const tooLarge = `an archive must not be larger than ${sizeText(CODE_LIMITS.archiveBytes)}`;

/** The rest of the body is not read: the connection is not used again. */
const refuse = (context: Context, status: 413 | 422, message: string): Response => {
  const { code, remedy } = new DroverError('REQUEST_INVALID', message);
  return answerUnread(context, status, { error: { code, message, remedy } });
};

export const codeUpload =
  (archives: ArchiveStore): Handler =>
  async (context) => {
    const path = decodeURIComponent(new URL(context.req.url).pathname.replace(/^\/v1\/archives\//, ''));
    const { body } = context.req.raw;
    if (body === null) throw new DroverError('REQUEST_INVALID', 'the body is empty');
    if (Number(context.req.header('content-length') ?? 0) > CODE_LIMITS.archiveBytes) {
      return refuse(context, 413, tooLarge);
    }
    const checked = new Checked(DIGEST.exec(context.req.header('content-digest') ?? '')?.[1]);
    const source = Readable.fromWeb(body);
    // A caller that goes away ends the upload, and nothing of it is stored.
    source.on('error', (error) => checked.destroy(error));
    // The store hears of it, too; a stream without a listener would end the process.
    checked.on('error', () => undefined);
    source.pipe(checked);
    try {
      await archives.putCode(path, checked);
    } catch (thrown) {
      source.unpipe(checked);
      source.destroy();
      const { refusal } = checked;
      if (refusal === undefined) throw thrown;
      return refuse(context, refusal.status, refusal.message);
    }
    return context.json({ filePath: path, bytes: checked.bytes, sha256: checked.sha256 }, 201);
  };
