'use strict';
/**
 * Loaded by `NODE_OPTIONS=--require` where the configuration of a bot is longer than an environment variable may be: shows the
 * file BOT_CONFIG_FILE as BOT_CONFIG and CONFIG. Workers, and programs that Node starts, load this file themselves.
 */
const fs = require('node:fs');

const forgetThisFile = () => {
  delete require.cache[__filename];
  const paths = module.constructor._pathCache;
  for (const key of Object.keys(paths)) if (key.startsWith(`${__filename}\0`)) delete paths[key];
};

const read = () => {
  try {
    return fs.readFileSync(process.env.BOT_CONFIG_FILE, 'utf8');
  } catch (error) {
    console.error(`CONFIG_ERROR: ${error.message}`);
    return undefined;
  }
};

forgetThisFile();
const text = process.env.BOT_CONFIG_FILE === undefined ? undefined : read();
if (text !== undefined) {
  const shown = new Set(['BOT_CONFIG', 'CONFIG']);
  const isShown = (target, name) => shown.has(name) && !(name in target);
  // In this program's own view alone: with it in the real environment no program could be started any more.
  process.env = new Proxy(process.env, {
    has: (target, name) => isShown(target, name) || name in target,
    get: (target, name) => (isShown(target, name) ? text : target[name]),
    deleteProperty: (target, name) => {
      shown.delete(name);
      return delete target[name];
    },
  });
}
