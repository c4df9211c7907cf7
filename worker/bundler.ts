import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

// A program of its own, run by bundle.ts: writes the bundle to the file that it is given.
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name the file to write');
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url)),
});
writeFileSync(file, code);
