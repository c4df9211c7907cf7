/**
 * A worker of another team, whose workflow calls Tandem from its activity:
 *
 *   node worker.mjs contactperson-contact 501/2001
 *
 * It runs beside Tandem's workers, on a task queue of its own. With arguments it starts one workflow, says what came of
 * it, and ends.
 */
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { connectTandem, NotFound } from 'tandem';

const address = process.env.TEMPORAL_ADDRESS ?? 'localhost:7233';
const namespace = process.env.TEMPORAL_NAMESPACE ?? 'default';
const taskQueue = 'invoices';
const [flow, sourceId] = process.argv.slice(2);

const connection = await Connection.connect({ address });
const client = new Client({ connection, namespace });
// Its own Temporal client serves Tandem too, and is not closed by it.
const tandem = await connectTandem({ temporal: client });

const activities = {
  async bringIntoStep(link) {
    const { workflowExecution, activityId } = Context.current().info;
    // The same on every attempt: a repeated one gets the first one's answer and asks nothing twice.
    const requestId = `${workflowExecution.workflowId}:${activityId}`;
    try {
      const { status } = await tandem.sync(link.flow, link.sourceId, { wait: true, timeoutMs: 60_000, requestId });
      const { targetId } = await tandem.getLink(link.flow, link.sourceId);
      return { status, targetId };
    } catch (error) {
      // Nothing to wait for; whatever else it is goes on by itself, so the activity is tried again.
      if (error instanceof NotFound) throw ApplicationFailure.nonRetryable(error.message, 'NotFound');
      throw error;
    }
  },
};

const native = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection: native,
  namespace,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('workflow.mjs', import.meta.url)),
  activities,
});
try {
  if (sourceId === undefined) await worker.run();
  else {
    const args = [{ flow, sourceId }];
    const invoice = client.workflow.execute('sendInvoice', { workflowId: `invoice:${sourceId}`, taskQueue, args });
    console.log(await worker.runUntil(invoice));
  }
} finally {
  await tandem.close();
  await native.close();
  await connection.close();
}
