import { condition } from '@temporalio/workflow';

/**
 * Whose systems an installation keeps in step, remembered where its workflows live: in the memo of this workflow, which
 * does nothing and stays open until the installation is removed.
 */
export async function world(): Promise<void> {
  await condition(() => false);
}
