/** Numbers of YAML as JSON writes them: the same value with the same digits, as far as both have a form for it. */
import { numberOf, type WrittenNumber } from '../domain/written-number.ts';

const DECIMAL = /^([-+]?)(\d*)(\.\d*)?([eE][-+]?\d+)?$/;

/** `10.` is a fraction to whoever wrote it, and `10` is none. */
const fractionOf = (written: string | undefined): string => (written === '.' ? '.0' : (written ?? ''));

const inJson = (source: string): string => {
  if (/^0[xo]/.test(source)) return BigInt(source).toString();
  const [, sign = '', whole = '', fraction, exponent = ''] = DECIMAL.exec(source) ?? [];
  return `${sign === '-' ? '-' : ''}${whole.replace(/^0+(?=\d)/, '') || '0'}${fractionOf(fraction)}${exponent}`;
};

/** Undefined for `.inf`, `.nan` and whatever else JSON has no number for. */
export const yamlNumber = (source: string): number | WrittenNumber | undefined => {
  if (!/^0[xo][\da-fA-F]+$/.test(source) && !(/\d/.test(source) && DECIMAL.test(source))) return undefined;
  return numberOf(inJson(source));
};
