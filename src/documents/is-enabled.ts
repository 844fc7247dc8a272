/** The enabled rule of contract §3, readable also in a document that is broken elsewhere. */
import { isObject } from '../domain/json.ts';

const isOff = (value: unknown): boolean => value === false || value === 'false' || value === '0' || value === 0;

/**
 * Documents with `enabled` or `config.enabled` exactly false are excluded; then a root bool wins; else
 * `config.enabled` is on unless it is "false", "0" or 0. Undefined when the document is no object.
 */
export const isEnabled = (document: unknown): boolean | undefined => {
  if (!isObject(document)) return undefined;
  const { config, enabled: root } = document;
  const inner = isObject(config) ? config['enabled'] : undefined;
  if (root === false || inner === false) return false;
  return root === true || !isOff(inner);
};
