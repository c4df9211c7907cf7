/**
 * A service that wants a record in step before it goes on, say before it sends an invoice.
 *
 * In the repository, while `npm start` runs:
 *
 *   MONGODB_URI=mongodb://127.0.0.1:27018/tandem \
 *     node -C tandem-sources --import tsx/esm examples/service.ts contactperson-contact 501/2001
 *
 * In a project of your own `npm install` of the package is enough; the variables are those of the README.
 */
import { connectTandem, TandemError } from 'tandem';

const [flow = 'contactperson-contact', sourceId = '501/2001'] = process.argv.slice(2);
const tandem = await connectTandem();
try {
  // Reads both sides, writes what differs, and answers once that is done.
  const { status } = await tandem.sync(flow, sourceId, { wait: true, timeoutMs: 30_000 });
  const link = await tandem.getLink(flow, sourceId);
  if (status === 'in-step') console.log(`${flow} ${sourceId} is in step with ${link.targetId}`);
  else if (link.block) {
    // The text is the system's own and may quote names: show it to people, keep it out of logs.
    console.log(`${flow} ${sourceId} is ${status}: ${link.block.side} ${link.block.properties.join(', ')}: ${link.block.text}`);
    process.exitCode = 1;
  } else console.log(`${flow} ${sourceId} is ${status}`);
} catch (error) {
  // What a person must mend: a flow that is not there, a record that has no link.
  if (!(error instanceof TandemError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
} finally {
  await tandem.close();
}
