'use strict';
/**
 * Runs a Node bot: loads /bot/<SCRIPT_PATH>, calls main(botId, config), writes result.json, and ends the process.
 * No SIGTERM handler: a bot that has none of its own ends at once, one that has is left to it.
 */
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const CODE = `/${process.env.CODE_MOUNT_DIR || 'bot'}`;
const RESULT = path.join(CODE, 'result.json');
const SUCCESS = { status: 'success', message: 'Bot executed successfully' };

const modified = () => {
  try {
    return fs.statSync(RESULT).mtimeMs;
  } catch {
    return undefined;
  }
};

const writeResult = (result) => {
  try {
    fs.writeFileSync(RESULT, JSON.stringify(result === undefined ? null : result));
  } catch (error) {
    console.error(`RESULT_ERROR: ${error.message}`);
  }
};

const leave = (code) => {
  // Both streams are pipes: wait until they took everything, then end even with open handles.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
};

const fail = (kind, error) => {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`${kind}: ${error instanceof Error && error.stack ? error.stack : message}`);
  writeResult({ status: 'error', message });
  leave(1);
};

const load = async (file) => {
  try {
    return require(file);
  } catch (error) {
    if (
      error.code !== 'ERR_REQUIRE_ESM' &&
      error.code !== 'ERR_REQUIRE_ASYNC_MODULE' &&
      !/Cannot use import statement|Unexpected token 'export'|await is only valid/.test(error.message)
    ) {
      throw error;
    }
    // `require` finds a file by its name without the ending, `import` does not.
    return import(pathToFileURL(require.resolve(file)).href);
  }
};

const run = async () => {
  process.chdir(CODE);
  let main;
  let config;
  try {
    config = JSON.parse(process.env.BOT_CONFIG || '{}');
    const module = await load(path.join(CODE, process.env.SCRIPT_PATH || 'main'));
    const inner = module.default;
    main = module.main || (inner && inner.main) || inner || module;
    if (typeof main !== 'function') throw new Error('the bot exports no function: main, default or the module itself');
  } catch (error) {
    fail('IMPORT_ERROR', error);
    return;
  }
  const before = modified();
  try {
    const result = await main(process.env.BOT_ID, config);
    // What the SDK wrote during the run stands, unless the bot returned something.
    if (result !== undefined) writeResult(result);
    else if (modified() === before) writeResult(SUCCESS);
    leave(0);
  } catch (error) {
    fail('EXECUTE_ERROR', error);
  }
};

void run();
