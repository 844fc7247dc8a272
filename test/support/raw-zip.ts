/** Zip archives of any wickedness, byte by byte: no packer makes these. */
import { crc32, deflateRawSync, constants } from 'node:zlib';

export interface RawEntry {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** Unix type and mode. */
  readonly mode?: number;
  /** Another name in front of the content than in the directory. */
  readonly localName?: string;
  readonly flags?: number;
  /** Deflated already, and what the directory says of its size. */
  readonly deflated?: Buffer;
  readonly declaredSize?: number;
}

const VERSION = 20;
const UNIX = 3;

const header = (
  signature: number,
  size: number,
  fields: readonly (readonly [at: number, bytes: 2 | 4, value: number])[],
) => {
  const head = Buffer.alloc(size);
  head.writeUInt32LE(signature, 0);
  for (const [at, bytes, value] of fields) {
    if (bytes === 2) head.writeUInt16LE(value & 0xffff, at);
    else head.writeUInt32LE(value >>> 0, at);
  }
  return head;
};

/** `repeat`: so often stands the last entry in the directory, each time for the same bytes. */
export const rawZip = (entries: readonly RawEntry[], repeat = 1): Buffer => {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [index, entry] of entries.entries()) {
    const name = typeof entry.name === 'string' ? Buffer.from(entry.name) : entry.name;
    const content = Buffer.from((entry.content ?? 'x') as string);
    const data = entry.deflated ?? content;
    const method = entry.deflated === undefined ? 0 : 8;
    const size = entry.declaredSize ?? content.length;
    const sum = crc32(content);
    const localName = Buffer.from(entry.localName ?? name);
    const flags = entry.flags ?? 0;
    const common = (at: number) =>
      [
        [at, 2, VERSION],
        [at + 2, 2, flags],
        [at + 4, 2, method],
        [at + 10, 4, sum],
        [at + 14, 4, data.length],
        [at + 18, 4, size],
      ] as const;
    local.push(header(0x04034b50, 30, [...common(4), [26, 2, localName.length]]), localName, data);
    const times = index === entries.length - 1 ? repeat : 1;
    const central = header(0x02014b50, 46, [
      [4, 2, (UNIX << 8) | VERSION],
      ...common(6),
      [28, 2, name.length],
      [38, 4, (entry.mode ?? 0o100644) << 16],
      [42, 4, offset],
    ]);
    for (let time = 0; time < times; time += 1) {
      // Each under a name of its own, of the same length.
      const own = times === 1 ? name : Buffer.from(String(time).padStart(name.length, '0'));
      directory.push(central, own);
    }
    offset += 30 + localName.length + data.length;
  }
  const central = Buffer.concat(directory);
  const count = entries.length - 1 + repeat;
  const end: Buffer[] = [];
  if (count >= 0xffff) {
    const zip64 = Buffer.alloc(56);
    zip64.writeUInt32LE(0x06064b50, 0);
    zip64.writeBigUInt64LE(44n, 4);
    zip64.writeBigUInt64LE(BigInt(count), 24);
    zip64.writeBigUInt64LE(BigInt(count), 32);
    zip64.writeBigUInt64LE(BigInt(central.length), 40);
    zip64.writeBigUInt64LE(BigInt(offset), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(offset + central.length), 8);
    locator.writeUInt32LE(1, 16);
    end.push(zip64, locator);
  }
  const told = Math.min(count, 0xffff);
  end.push(
    header(0x06054b50, 22, [
      [8, 2, told],
      [10, 2, told],
      [12, 4, central.length],
      [16, 4, count >= 0xffff ? 0xffffffff : offset],
    ]),
  );
  return Buffer.concat([...local, central, ...end]);
};

/** `mib` of zeros, deflated, without the work of deflating them all. `mib` in steps of 64. */
export const deflatedZeros = (mib: number): Buffer => {
  // A stream that is only flushed can be continued by itself; an empty last block ends it.
  const piece = deflateRawSync(Buffer.alloc(64 * 1024 ** 2), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([...Array.from({ length: mib / 64 }, () => piece), Buffer.from([3, 0])]);
};
