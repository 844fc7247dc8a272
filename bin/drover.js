#!/usr/bin/env node
// The built command when there is one, else the sources themselves.
import { existsSync } from 'node:fs';
import { URL } from 'node:url';

const built = new URL('../dist/drover.js', import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  const { tsImport } = await import('tsx/esm/api');
  await tsImport('../src/cli/main.ts', import.meta.url);
}
