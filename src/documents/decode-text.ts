/** Bytes of a document as text. What is no text is refused, never read as something else. */

/** Why bytes are no text; `message` is a predicate. */
export class EncodingRefused extends Error {}

const startsWith = (bytes: Uint8Array, ...mark: number[]): boolean => mark.every((byte, at) => bytes[at] === byte);

/** By its byte order mark, or by where the zeros of its first character stand. UTF-32 begins as UTF-16 does. */
const encodingOf = (bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' => {
  if (startsWith(bytes, 0xff, 0xfe, 0, 0) || startsWith(bytes, 0, 0)) {
    throw new EncodingRefused('is UTF-32 text: save it as UTF-8');
  }
  if (startsWith(bytes, 0xff, 0xfe)) return 'utf-16le';
  if (startsWith(bytes, 0xfe, 0xff)) return 'utf-16be';
  if (bytes.length > 1 && bytes[0] === 0) return 'utf-16be';
  if (bytes.length > 1 && bytes[1] === 0) return 'utf-16le';
  return 'utf-8';
};

/** The first bytes that are none of UTF-8. */
const faultAt = (bytes: Uint8Array): number => {
  let [good, bad] = [0, bytes.length];
  while (good < bad) {
    const middle = Math.ceil((good + bad) / 2);
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle - 1;
    }
  }
  return good;
};

/** UTF-8, or UTF-16 in either order, with or without a byte order mark. @throws EncodingRefused */
export const decodeText = (bytes: Uint8Array): string => {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new EncodingRefused(
      encoding === 'utf-8'
        ? `is not UTF-8 text: the bytes near offset ${String(faultAt(bytes))} are invalid; save it as UTF-8`
        : `begins as ${encoding.toUpperCase()} text and is not valid: save it as UTF-8`,
    );
  }
};
