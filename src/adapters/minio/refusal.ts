/** What an object store said when it refused, whole: the package drops it for HEAD, for 5xx and for plain text. */
import type { IncomingMessage } from 'node:http';
import { S3Error } from 'minio';

/** Nobody's error text is longer; a body without end must not fill the memory. */
const MAX_BODY = 64 * 1_024;

/** Code when the answer itself names none, as for HEAD, which has no body. */
const CODE_OF_STATUS: Readonly<Record<number, string>> = { 403: 'AccessDenied', 404: 'NotFound' };

/** The package's own error class, because the package asks for it. `bare`: the code is a guess from the status. */
export class Refusal extends S3Error {
  readonly status: number;
  override readonly code: string;
  readonly bare: boolean;

  constructor(status: number, code: string | undefined, word: string) {
    super(word);
    this.status = status;
    this.code = code ?? CODE_OF_STATUS[status] ?? `HTTP ${String(status)}`;
    this.bare = code === undefined;
  }
}

const bodyOf = async (answer: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size > MAX_BODY) break;
    }
  } catch {
    // Broken off: what came so far is all the server said.
  }
  return Buffer.concat(pieces).toString('utf8').slice(0, MAX_BODY);
};

const element = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.trim();

const header = (answer: IncomingMessage, name: string): string | undefined => {
  const value = answer.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** Reads an answer of status 400 or more to its end. */
export const readRefusal = async (answer: IncomingMessage): Promise<Refusal> => {
  const status = answer.statusCode ?? 0;
  const body = await bodyOf(answer);
  const code = element(body, 'Code') ?? header(answer, 'x-minio-error-code');
  const plain = body.trimStart().startsWith('<') ? '' : body.trim().slice(0, 200);
  const word = element(body, 'Message') ?? header(answer, 'x-minio-error-desc')?.replace(/^"|"$/g, '') ?? plain;
  return new Refusal(status, code, word === '' ? `HTTP ${String(status)} ${answer.statusMessage ?? ''}`.trim() : word);
};
