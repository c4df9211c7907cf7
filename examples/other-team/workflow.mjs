import { proxyActivities } from '@temporalio/workflow';

const { bringIntoStep } = proxyActivities({ startToCloseTimeout: '2 minutes', retry: { maximumInterval: '1 minute' } });

/** Another team's workflow: it wants the customer's contact in step before the invoice goes out. */
export async function sendInvoice({ flow, sourceId }) {
  const { status, targetId } = await bringIntoStep({ flow, sourceId });
  return status === 'in-step' ? `sent to ${targetId}` : `held back: ${flow} ${sourceId} is ${status}`;
}
