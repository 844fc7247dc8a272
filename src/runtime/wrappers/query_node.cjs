'use strict';
/**
 * Loaded by `NODE_OPTIONS=--require` into a Node that is started before its query is known: holds it until the query's
 * variables come by descriptor 3, and leaves no trace. Then Node loads the query program by itself, as for `node <file>`
 * (contract §6.1).
 */
const fs = require('node:fs');

const GATE = 3;

const forgetThisFile = () => {
  delete require.cache[__filename];
  const paths = module.constructor._pathCache;
  for (const key of Object.keys(paths)) if (key.startsWith(`${__filename}\0`)) delete paths[key];
};

/** `NAME=value` sets, `NAME` removes; each ends with a NUL, all of them with one more. */
const readVariables = () => {
  const parts = [];
  let end = '';
  do {
    const part = Buffer.alloc(65_536);
    const size = fs.readSync(GATE, part, 0, part.length, null);
    // Whoever started us is gone.
    if (size === 0) process.exit(1);
    parts.push(part.subarray(0, size));
    end = (end + part.latin1Slice(Math.max(0, size - 2), size)).slice(-2);
  } while (end !== '\0\0');
  return Buffer.concat(parts).toString('utf8').split('\0').slice(0, -2);
};

forgetThisFile();
// A worker thread of the program comes by here too: it finds nothing to wait for.
if (process.env.DROVER_QUERY_GATE !== undefined) {
  for (const entry of readVariables()) {
    const at = entry.indexOf('=');
    if (at === -1) delete process.env[entry];
    else process.env[entry.slice(0, at)] = entry.slice(at + 1);
  }
  fs.writeSync(GATE, '!');
  fs.closeSync(GATE);
}
