#!/usr/bin/env node
// In the repository the sources run as they are; a published package has them compiled beside this folder.
import { existsSync } from 'node:fs';

const source = new URL('../client/cli/main.ts', import.meta.url);
if (existsSync(source)) {
  const { register } = await import('tsx/esm/api');
  register();
  await import(source.href);
} else await import(new URL('../dist/client/cli/main.js', import.meta.url).href);
