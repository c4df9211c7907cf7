import { measureBurst } from './burst.ts';
import { measureChange } from './change.ts';
import { measureComparing } from './compare.ts';
import { measureCalls, measureFirstSync, measureLarge } from './firstSync.ts';
import { measureHooks } from './hooks.ts';
import { noteIdle } from './idle.ts';
import { readOptions, USAGE } from './options.ts';
import { measureReading } from './reading.ts';
import { measureReplayed } from './replayed.ts';
import { report, say } from './report.ts';
import { measureRequests } from './requests.ts';
import { build, startStack } from './stack.ts';
import { measureStart, measureWorkerStart } from './start.ts';
import { measureThroughput } from './throughput.ts';

async function main(): Promise<void> {
  const options = readOptions();
  if (options === 'help') return console.log(USAGE);
  if (typeof options === 'string') {
    console.error(`bench: ${options}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const { records, full, json } = options;
  say('compiling');
  await build();
  const stack = await startStack(say);
  try {
    const installation = await measureFirstSync(stack, records, 3);
    measureCalls(installation);
    await measureChange(installation, Math.min(60, Math.floor(records / 3)));
    await measureReplayed(installation);
    await measureThroughput(installation, Math.min(120, Math.floor(records / 2)));
    await installation.close();
    await measureBurst(stack, 3);
    await measureHooks(stack, 25);
    await measureComparing(stack.mongo);
    await measureRequests(stack);
    measureReading();
    noteIdle();
    await measureStart();
    await measureWorkerStart(stack);
  } finally {
    await stack.stop();
  }
  if (full) for (const many of [5000, 10_000, 50_000]) await measureLarge(many);
  if (!report(json)) process.exitCode = 1;
}

await main();
process.exit();
