import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  botIdFault,
  botOfContainerName,
  containerName,
  decodeId,
  encodeId,
  readTags,
  volumeName,
  writeTags,
} from '../../src/domain/naming.ts';

const id = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => botIdFault(text) === undefined);

describe('names', () => {
  it('round-trip and are legal on an engine', () => {
    fc.assert(
      fc.property(id, (botId) => {
        expect(decodeId(encodeId(botId))).toBe(botId);
        const name = containerName('i1', botId);
        expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
        expect(botOfContainerName('i1', name)).toBe(botId);
        expect(volumeName({ install: 'i1', id: botId, incarnation: 1, role: 'state', of: 'bot' })).toMatch(
          /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/,
        );
      }),
    );
  });
  it('two ids never share a name', () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        expect(encodeId(a) === encodeId(b)).toBe(a === b);
      }),
    );
    expect(encodeId('a_b')).not.toBe(encodeId('a.b'));
    expect(encodeId('a_5fb')).not.toBe(encodeId('a_b'));
  });
  it('are not read back from what was never one', () => {
    expect(decodeId('a_ZZ')).toBeUndefined();
    expect(decodeId('a_61')).toBeUndefined();
    expect(botOfContainerName('i1', 'drover-i2-bot-a')).toBeUndefined();
  });
  it.each(['', '../x', 'a/b', 'a\\b', '.', '..', 'a\u0000', 'x'.repeat(129), '\ud800'])('refuse the id %j', (bad) => {
    expect(botIdFault(bad)).toBeTypeOf('string');
  });
  it.each(['b', 'bot-1', '3f1c9c9e-0b1e-4c9e-9f62-111111111111', 'a b', 'größe', 'a..b'])('take the id %j', (good) => {
    expect(botIdFault(good)).toBeUndefined();
  });
});

describe('labels', () => {
  const tags = { install: 'i1', botId: 'a/b', incarnation: 2, generation: 3, specHash: 'abc', attempt: 4 };
  it('round-trip', () => {
    expect(readTags(writeTags(tags, 'main.js'))).toEqual(tags);
  });
  it('that are incomplete or forged are none', () => {
    const labels = writeTags(tags, 'main.js');
    for (const key of Object.keys(labels).filter((name) => name.startsWith('drover.'))) {
      const { [key]: _gone, ...rest } = labels;
      expect(readTags(rest), key).toBeUndefined();
    }
    expect(readTags({ ...labels, 'drover.attempt': '1e3' })).toBeUndefined();
    expect(readTags({ 'runtime.managed': 'true', 'runtime.id': 'x' })).toBeUndefined();
  });
});
