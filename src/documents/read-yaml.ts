/**
 * YAML 1.2 as values that JSON has, exactly as they were written: numbers with their digits, keys in their order, anchors and
 * merge keys (`<<`) followed. What JSON cannot express is refused with its place. The values are taken from the tree of nodes,
 * because the library's own conversion passes numbers through a double.
 */
import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  Scalar,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml';
import { objectOf } from '../domain/json-object.ts';
import { MAX_DEPTH, MAX_VALUES, tooDeep, tooMany } from '../domain/parse-json.ts';
import { pointerOf } from './faults.ts';
import { yamlNumber } from './yaml-number.ts';

/** Why a text is not taken, with its place where there is one; both count from 1. */
export class YamlRefused extends Error {
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(message: string, place?: { readonly line: number; readonly col: number }) {
    super(message);
    this.line = place?.line;
    this.column = place?.col;
  }
}

type Path = readonly string[];
type Entries = Map<string, unknown>;

/** The first line; the others show the text, which may hold secrets. */
const firstLine = (message: string): string =>
  (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');

const HINTS: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'the file has more than one document (`---`): put each bot into a file of its own',
  DUPLICATE_KEY: 'a key stands twice in one mapping',
  TAB_AS_INDENT: 'a tab is used as indentation: use spaces',
  RESOURCE_EXHAUSTION: tooDeep(MAX_DEPTH),
};

const isMergeKey = (key: unknown): boolean =>
  isScalar(key) && key.type === Scalar.PLAIN && (key.source ?? key.value) === '<<';

/** Of mappings and lists that are no more than that. */
const PLAIN_TAGS: ReadonlySet<string> = new Set(['tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq']);

class Reader {
  readonly #document: Document;
  readonly #lines: LineCounter;
  #values = 0;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  refuse(message: string, path: Path, node?: unknown): never {
    const at = (node as Node | null | undefined)?.range?.[0];
    const where = path.length === 0 ? '' : `${pointerOf('', path)} `;
    throw new YamlRefused(`${where}${message}`, at === undefined ? undefined : this.#lines.linePos(at));
  }

  #resolved(node: unknown, path: Path): unknown {
    if (!isAlias(node)) return node;
    const target = node.resolve(this.#document);
    if (target === undefined) this.refuse(`uses the unknown anchor \`*${node.source}\``, path, node);
    return target;
  }

  #scalar(node: Scalar, path: Path): unknown {
    const { value, source } = node;
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'bigint') {
      const number = yamlNumber(source ?? String(value));
      return number ?? this.refuse('is a number that JSON cannot express', path, node);
    }
    return this.refuse('is of a kind that JSON cannot express: put it in quotes', path, node);
  }

  /** A key as it was written: that of a number or of `true` is text in JSON. */
  #key(node: unknown, path: Path): string {
    const key = this.#resolved(node, path);
    if (!isScalar(key)) return this.refuse('has a key that is a list or a mapping', path, node);
    const text = typeof key.value === 'string' ? key.value : (key.source ?? '');
    if (text === '' && typeof key.value !== 'string') this.refuse('has an empty key', path, node);
    return text;
  }

  /** The mappings that `<<` names, those that count first. */
  #merged(node: unknown, path: Path): YAMLMap[] {
    const target = this.#resolved(node, path);
    if (isMap(target)) return [target];
    if (!isSeq(target)) return this.refuse('merges (`<<`) something that is no mapping', path, node);
    return target.items.map((item) => {
      const map = this.#resolved(item, path);
      return isMap(map) ? map : this.refuse('merges (`<<`) something that is no mapping', path, item);
    });
  }

  #entries(map: YAMLMap, path: Path, depth: number): Entries {
    if (depth >= MAX_DEPTH) this.refuse(tooDeep(MAX_DEPTH), path.slice(0, 3), map);
    const own = new Set<string>();
    const entries: Entries = new Map();
    for (const { key, value } of map.items) {
      if (isMergeKey(key)) {
        for (const source of this.#merged(value, path)) {
          for (const [name, member] of this.#entries(source, path, depth + 1)) {
            if (!entries.has(name)) entries.set(name, member);
          }
        }
        continue;
      }
      const name = this.#key(key, path);
      if (own.has(name)) this.refuse(`has the key \`${name.slice(0, 60)}\` twice`, path, key);
      own.add(name);
      entries.set(name, this.value(value, [...path, name], depth + 1));
    }
    return entries;
  }

  value(given: unknown, path: Path, depth: number): unknown {
    this.#values += 1;
    if (this.#values > MAX_VALUES) this.refuse(tooMany(MAX_VALUES), path.slice(0, 3), given);
    const node = this.#resolved(given, path);
    if (node === null || node === undefined) return null;
    if (isScalar(node)) return this.#scalar(node, path);
    const { tag } = node as Node;
    if (tag !== undefined && !PLAIN_TAGS.has(tag))
      this.refuse(`has the tag \`${tag}\`, which JSON has not`, path, node);
    if (isMap(node)) return objectOf([...this.#entries(node, path, depth)]);
    if (!isSeq(node)) return this.refuse('is of a kind that JSON cannot express', path, node);
    if (depth >= MAX_DEPTH) this.refuse(tooDeep(MAX_DEPTH), path.slice(0, 3), node);
    return node.items.map((item, at) =>
      isPair(item)
        ? this.refuse('has a pair where a value must stand', [...path, String(at)], item.key)
        : this.value(item, [...path, String(at)], depth + 1),
    );
  }
}

/** A scalar of the outermost mapping as it was written. */
const writtenId = (document: Document): string | undefined => {
  const node = document.get('id', true);
  return isScalar(node) && typeof node.value !== 'string' && node.value !== null ? node.source : undefined;
};

const parsed = (text: string, lineCounter: LineCounter): Document => {
  try {
    // The number of aliases is bounded by the values that they become.
    return parseDocument(text, { merge: true, intAsBigInt: true, lineCounter, logLevel: 'error' });
  } catch (thrown) {
    throw new YamlRefused(thrown instanceof RangeError ? tooDeep(MAX_DEPTH) : `is not YAML: ${String(thrown)}`);
  }
};

/**
 * The document in the text. An `id` of digits is the text that was written: `007` stays so.
 * @throws YamlRefused
 */
export const readYaml = (text: string): unknown => {
  const lines = new LineCounter();
  const document = parsed(text, lines);
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) throw new YamlRefused(HINTS[error.code] ?? firstLine(error.message), error.linePos?.[0]);
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    throw new YamlRefused('asks for YAML 1.1 (`%YAML`), and drover reads YAML 1.2: remove that line', {
      line: 1,
      col: 1,
    });
  }
  const reader = new Reader(document, lines);
  const value = reader.value(document.contents, [], 0);
  const id = isMap(document.contents) ? writtenId(document) : undefined;
  return id === undefined ? value : Object.assign(value as object, { id });
};
