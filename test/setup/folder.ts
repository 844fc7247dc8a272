/**
 * Before the test servers are started, and in each worker before a test file: temporary folders are made in the folder of the run,
 * which is removed with all that is in it.
 */
const folder = process.env['TEST_FOLDER'];
if (folder !== undefined) process.env['TMPDIR'] = folder;

export {};
