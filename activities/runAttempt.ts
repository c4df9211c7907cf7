import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { faultInWords, faultNamed } from '../flows/faults.ts';
import type { Attempt } from './ports.ts';
import { SystemError } from '../connectors/systemError.ts';

const HEARTBEAT_MS = 3000;
/** An attempt stops itself before the server gives it up, so that it writes nothing late. */
const DEADLINE_MS = 100_000;

/**
 * Without a beat for so long, the server may have given the attempt to another worker: it lets ten seconds pass (perform.ts),
 * and may not have been told of the last beats, of which Temporal's SDK passes on one in eight seconds.
 */
const ASLEEP_MS = HEARTBEAT_MS + 2000;

/** Many are told "later" at once: they come back one after the other. */
const jittered = (ms: number): number => ms + Math.random() * Math.max(1000, ms / 2);

/**
 * Runs one attempt of an activity: heartbeats while it lasts, aborts its calls at the deadline, and turns failures into
 * what Temporal retries. Failure messages carry a status code and no text of the system's, which may quote names.
 */
export async function runAttempt<T>(work: (attempt: Attempt) => Promise<T>): Promise<T> {
  const context = Context.current();
  const abort = new AbortController();
  let beatAt = Date.now();
  let slept = false;
  const wasAsleep = (): boolean => (slept ||= Date.now() - beatAt > ASLEEP_MS);
  const beat = setInterval(() => {
    wasAsleep();
    beatAt = Date.now();
    context.heartbeat();
  }, HEARTBEAT_MS);
  const deadline = setTimeout(() => abort.abort(new Error('the attempt ran out of time')), DEADLINE_MS);
  const onCancel = (): void => abort.abort(context.cancellationSignal.reason);
  context.cancellationSignal.addEventListener('abort', onCancel, { once: true });
  try {
    const { attempt: number, scheduledTimestampMs: scheduledAt } = context.info;
    return await work({ number, scheduledAt, signal: abort.signal, wasAsleep });
  } catch (error) {
    if (error instanceof SystemError)
      throw ApplicationFailure.create({
        message: `${faultInWords(error.system, faultNamed(error.failure))} (${error.status ?? error.failure})`,
        type: error.failure,
        // Told once for all links, where the key is refused; each link's own word would be thousands.
        ...(error.failure === 'unauthorized' ? { category: ApplicationFailureCategory.BENIGN } : {}),
        ...(error.retryAfterMs === null ? {} : { nextRetryDelay: jittered(error.retryAfterMs) }),
      });
    throw error;
  } finally {
    clearInterval(beat);
    clearTimeout(deadline);
    context.cancellationSignal.removeEventListener('abort', onCancel);
  }
}
