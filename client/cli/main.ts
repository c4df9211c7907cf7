import { explain, makeProgram } from './program.ts';

const ADDRESSES = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'MONGODB_URI', 'POWEROFFICE_URL', 'CRM_URL'];

/** Without an environment of its own, a command speaks to the local stack of `npm start`; a worker never does. */
async function meetLocalStack(): Promise<void> {
  const named = ADDRESSES.filter((name) => process.env[name]);
  if (process.argv[2] === 'worker' || named.some((name) => name !== 'CRM_URL')) return;
  try {
    const { readStack } = await import('../../stack/file.ts'); // oxlint-disable-line no-restricted-imports -- where the sandbox is there
    const { env = {} } = readStack() ?? {};
    // A CRM of one's own is the stack's where that was started with it.
    if (named.length > 0 && process.env['CRM_URL'] !== env['CRM_URL']) return;
    for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
  } catch {
    // The published package has no sandbox.
  }
}

// Who reads no further (`| head`) has what was asked for.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await meetLocalStack();
  await makeProgram().parseAsync();
} catch (error) {
  const { text, code } = explain(error);
  if (text !== null) console.error(text);
  if (process.env['TANDEM_DEBUG']) console.error(error);
  // A command that has said how it failed keeps its word.
  process.exitCode ||= code;
}
