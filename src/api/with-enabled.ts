/** A document that is to run, or not to (contract §3, the enabled rule). */
import { isObject } from '../domain/json.ts';

/** Sets what the enabled rule reads first: the root word where there is one, else the word in the config. */
export const withEnabled = (document: Record<string, unknown>, enabled: boolean): Record<string, unknown> => {
  const config = isObject(document['config']) ? document['config'] : {};
  return {
    ...document,
    ...('enabled' in document ? { enabled } : {}),
    config: { ...config, enabled },
  };
};
