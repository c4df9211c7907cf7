/**
 * What a CRM does that posts webhooks as Standard Webhooks has them, so that an edit is carried at once and not at the next poll:
 *
 *   CRM_WEBHOOK_SECRET=whsec_… node post-hook.mjs http://localhost:8088 contact.updated c117
 *
 * The same id on every try of one event. A hook that is lost does no harm: the poll finds what it would have told.
 */
import { createHmac, randomUUID } from 'node:crypto';

const [base = 'http://localhost:8088', type = 'contact.updated', id = ''] = process.argv.slice(2);
const key = Buffer.from((process.env.CRM_WEBHOOK_SECRET ?? '').replace(/^whsec_/, ''), 'base64');
const messageId = `msg_${randomUUID()}`;
const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data: { id } });

for (const waitMs of [0, 1000, 5000, 30_000]) {
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  // Signed anew on each try: a signature is taken for five minutes.
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', key).update(`${messageId}.${timestamp}.${body}`).digest('base64');
  const answer = await fetch(`${base}/hooks/crm`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': messageId,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body,
  }).catch((error) => ({ ok: false, status: 0, text: async () => String(error) }));
  console.log(`${answer.status} ${await answer.text()}`);
  if (answer.ok) process.exit(0);
  // What is refused stays refused; no answer, or one of 500 and above, is worth another try.
  if (answer.status >= 400 && answer.status < 500) break;
}
process.exitCode = 1;
