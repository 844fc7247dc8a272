/** What goes wrong with an object store as errors of our table, with the setting or the right to look at. */
import { InvalidBucketNameError, S3Error } from 'minio';
import { refusePath } from '../../domain/archive-key.ts';
import { DroverError } from '../../domain/errors.ts';
import type { Endpoint } from './endpoint.ts';
import { Refusal } from './refusal.ts';

/** What was tried, and the right it takes. */
export interface Attempt {
  readonly bucket: string;
  readonly right:
    | 's3:CreateBucket'
    | 's3:ListBucket'
    | 's3:GetObject'
    | 's3:PutObject'
    | 's3:DeleteObject'
    | 's3:ListBucketMultipartUploads'
    | 's3:AbortMultipartUpload';
  readonly filePath?: string;
}

const WRONG_KEYS: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidTokenId',
  'ExpiredToken',
  'InvalidToken',
]);
/** Keys that this server, unlike others, cannot hold. */
const BAD_KEY: ReadonlySet<string> = new Set([
  'KeyTooLongError',
  'XMinioInvalidObjectName',
  'XMinioParentIsObject',
  'XMinioObjectExistsAsDirectory',
]);

const unavailable = (endpoint: Endpoint, detail: string, cause: unknown): DroverError =>
  new DroverError('ARCHIVE_UNAVAILABLE', `archive store at ${endpoint.text}: ${detail}`, { cause });
const forbidden = (endpoint: Endpoint, detail: string, cause: unknown): DroverError =>
  new DroverError('ARCHIVE_FORBIDDEN', `archive store at ${endpoint.text}: ${detail}`, { cause });

const fromRefusal = (refusal: Refusal, { bucket, right, filePath }: Attempt, endpoint: Endpoint): DroverError => {
  const { code, status, bare, message } = refusal;
  const said = `${code}: ${message}`;
  if (/HTTP request to an HTTPS server|InsecureClientRequest/i.test(said)) {
    return unavailable(endpoint, `it requires TLS; set MINIO_USE_SSL=true (${said})`, refusal);
  }
  if (WRONG_KEYS.has(code)) {
    return forbidden(endpoint, `it does not accept MINIO_ACCESS_KEY with MINIO_SECRET_KEY (${said})`, refusal);
  }
  if (code === 'RequestTimeTooSkewed') {
    return unavailable(endpoint, `its clock and the clock of this host differ too much (${said})`, refusal);
  }
  if (BAD_KEY.has(code) && filePath !== undefined) return refusePath(filePath, said);
  if (code === 'AccessDenied' || status === 401 || status === 403) {
    const or = bare ? ', or MINIO_ACCESS_KEY and MINIO_SECRET_KEY are wrong' : '';
    return forbidden(
      endpoint,
      `bucket ${bucket}: the key in MINIO_ACCESS_KEY lacks the right ${right}${or} (${said})`,
      refusal,
    );
  }
  return unavailable(endpoint, `bucket ${bucket}: ${said}`, refusal);
};

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';

/** Why two who speak of TLS do not understand one another, or undefined when it is something else. */
const tlsHint = (code: string, detail: string): string | undefined => {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/i.test(`${code} ${detail.replaceAll(' ', '_')}`)) {
    return 'it does not use TLS; set MINIO_USE_SSL=false';
  }
  if (/^(EPROTO$|ERR_SSL_)/.test(code)) return 'the TLS handshake failed; check MINIO_USE_SSL';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another name; check MINIO_ENDPOINT';
  if (/SELF_SIGNED|UNABLE_TO_|^CERT_/.test(code)) {
    return 'its certificate is not trusted; set MINIO_CA_FILE or NODE_EXTRA_CA_CERTS to the file of its certificate authority';
  }
  return undefined;
};

export const toArchiveError = (thrown: unknown, attempt: Attempt, endpoint: Endpoint): DroverError => {
  if (thrown instanceof DroverError) return thrown;
  if (thrown instanceof Refusal) return fromRefusal(thrown, attempt, endpoint);
  const detail = thrown instanceof Error && thrown.message !== '' ? thrown.message : String(thrown);
  if (thrown instanceof InvalidBucketNameError) return new DroverError('CONFIG_INVALID', detail, { cause: thrown });
  const code = codeOf(thrown);
  const hint = tlsHint(code, detail);
  if (hint !== undefined) return unavailable(endpoint, `${hint} (${code}: ${detail})`, thrown);
  // A TLS server that hears plain text may just hang up.
  const maybe = detail === 'socket hang up' && !endpoint.useSsl ? '; if it uses TLS, set MINIO_USE_SSL=true' : '';
  const what = attempt.filePath === undefined ? '' : `archive ${attempt.filePath}: `;
  return unavailable(
    endpoint,
    `${what}${detail === code || code === '' ? detail : `${detail} (${code})`}${maybe}`,
    thrown,
  );
};

/** Is there no such object? A missing bucket holds none either. */
export const isMissing = (thrown: unknown): boolean =>
  thrown instanceof S3Error && ['NotFound', 'NoSuchKey', 'NoSuchBucket'].includes(codeOf(thrown));

export const isMissingBucket = (thrown: unknown): boolean =>
  thrown instanceof S3Error && codeOf(thrown) === 'NoSuchBucket';
