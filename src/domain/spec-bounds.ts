/** What a document may set of ours, at most: the operator says so, whoever wrote the document. */

export interface SpecBounds {
  /** Patterns of images that a document may name besides the operator's own; `*` stands for anything but `/`, `**` for anything. */
  readonly images: readonly string[];
  readonly memoryMb: number;
  readonly cpuShares: number;
  readonly pids: number;
  /** Of a failed run. */
  readonly retries: number;
  /** Of each stage of a stop, ms. */
  readonly stopMs: number;
}

/** Those of the settings' defaults; `test/unit/config.test.ts` checks that both are equal. */
export const DEFAULT_BOUNDS: SpecBounds = {
  images: [],
  memoryMb: 65_536,
  cpuShares: 8_192,
  pids: 4_096,
  retries: 100,
  stopMs: 3_600_000,
};

/** As the engine reads a name: without a tag or a digest it is that of `latest`. */
const withTag = (image: string): string => (/[:@][^/]*$/.test(image) ? image : `${image}:latest`);

const matches = (pattern: string, image: string): boolean => {
  if (!pattern.includes('*')) return withTag(pattern) === image;
  const source = pattern
    .split(/(\*\*?)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`).test(image);
};

/** May a document name this image? `own`: that of bots which name none. */
export const allowsImage = ({ images }: SpecBounds, own: string, image: string): boolean => {
  const named = withTag(image);
  return [own, ...images].some((pattern) => pattern === image || matches(pattern, named));
};
