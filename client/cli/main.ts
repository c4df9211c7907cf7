import { explain, makeProgram } from './program.ts';

/** Without an environment of its own, a command speaks to the local stack of `npm start`; a worker never does. */
async function meetLocalStack(): Promise<void> {
  if (
    process.argv[2] === 'worker' ||
    ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'MONGODB_URI', 'POWEROFFICE_URL', 'CRM_URL'].some((name) => process.env[name])
  )
    return;
  try {
    const { readStack } = await import('../../stack/file.ts'); // oxlint-disable-line no-restricted-imports -- where the sandbox is there
    for (const [name, value] of Object.entries(readStack()?.env ?? {})) process.env[name] ??= value;
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
