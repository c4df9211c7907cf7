import { Client, Connection } from '@temporalio/client';
import { temporalAddress } from './world.ts';

/** A client of the test run's Temporal, in a namespace of its own so that tests never meet. */
export async function makeNamespace(): Promise<{ client: Client; namespace: string; close: () => Promise<void> }> {
  const connection = await Connection.connect({ address: temporalAddress() });
  const namespace = `t${Math.random().toString(36).slice(2, 10)}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: (24 * 3600) as never },
  });
  const client = new Client({ connection, namespace });
  for (;;) {
    // A new namespace is known everywhere only after a moment.
    try {
      await client.workflow.count();
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return { client, namespace, close: () => connection.close() };
}
