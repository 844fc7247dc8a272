/** Where to cut UTF-8 at `limit` or a little before it: a byte 10xxxxxx goes on with a character that began before. */
export const characterEnd = (bytes: Buffer, limit: number): number => {
  for (let back = 0; back < 4; back += 1) if (((bytes[limit - back] ?? 0) & 0xc0) !== 0x80) return limit - back;
  return limit;
};
