/**
 * A service that follows what happens to all links, over its own restarts, without missing a change:
 *
 *   node follow.mjs CURSOR-FILE
 *
 * It keeps the number of the last event that it has dealt with. An event may come twice (where the service ended between
 * dealing with it and keeping its number); its `id` stays the same.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connectTandem, CursorTooOld } from 'tandem';

const [file = 'cursor'] = process.argv.slice(2);

/** A file is whole or as it was. */
function keep(seq) {
  writeFileSync(`${file}.new`, String(seq));
  renameSync(`${file}.new`, file);
}

/** Whatever the service does with an event; here it says what happened. Values may be personal data: none in logs. */
function deal({ seq, kind, flow, sourceId, status, side, property }) {
  console.log(`${seq} ${flow} ${sourceId}: ${kind === 'changed' ? `${property} written to the ${side}` : status}`);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
const tandem = await connectTandem();
try {
  // The first time from now on; what was before is in `links`.
  if (!existsSync(file)) keep((await tandem.readChanges()).next);
  const after = Number(readFileSync(file, 'utf8'));
  console.log(`following after ${after}`);
  for await (const event of tandem.changes({ after, signal: stop.signal })) {
    deal(event);
    keep(event.seq);
  }
} catch (error) {
  if (!(error instanceof CursorTooOld)) throw error;
  // Away for longer than changes are kept: compare with `links`, then go on from where there are events again.
  console.error(error.message);
  keep(error.goOnAfter);
  process.exitCode = 1;
} finally {
  await tandem.close();
}
