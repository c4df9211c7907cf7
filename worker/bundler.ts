import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { PACKED_BUNDLE } from './bundle.ts';

// A program of its own: writes the bundled workflows to the file that it is given, at pack time to where the package keeps them.
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const [file = PACKED_BUNDLE] = process.argv.slice(2);
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url)),
});
writeFileSync(file, code);
