import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing: () => Promise<void> }>({ startToCloseTimeout: '2 minutes' });

/** The bare floor of a first sync: a workflow of one activity that does nothing. */
export async function bare(): Promise<void> {
  await nothing();
}

export const poke = defineSignal('poke');

/** The bare floor of a change: a signal, one activity that does nothing. */
export async function poked(): Promise<void> {
  let waiting = 0;
  setHandler(poke, () => void (waiting += 1));
  for (;;) {
    await condition(() => waiting > 0);
    waiting -= 1;
    await nothing();
  }
}
