import assert from 'node:assert/strict';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { runAttempt } from '../../activities/runAttempt.ts';
import { SystemError, type Failure } from '../../connectors/systemError.ts';

const QUIET = new DefaultLogger('ERROR', () => {});

async function failed(failure: Failure, retryAfterMs?: number): Promise<ApplicationFailure> {
  const error = new SystemError('CRM', failure, { text: 'x', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  const outcome = await new MockActivityEnvironment({}, { logger: QUIET })
    .run(() => runAttempt(() => Promise.reject(error)))
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  assert.ok(outcome instanceof ApplicationFailure);
  return outcome;
}

describe('attempts that failed', () => {
  it('many that are told "later" at once come back one after the other, none before it was told', async () => {
    for (const [asked, spread] of [
      [1000, 1000],
      [30_000, 15_000],
    ] as const) {
      const delays: number[] = [];
      for (let i = 0; i < 60; i++) delays.push(Number((await failed('throttled', asked)).nextRetryDelay) - asked);
      assert.ok(delays.every((each) => each >= 0 && each <= spread));
      assert.ok(Math.max(...delays) - Math.min(...delays) > spread / 2, 'spread out');
    }
    assert.equal((await failed('unreachable')).nextRetryDelay, undefined, 'by the policy, which doubles');
  });

  it('a refused key is told once by its system, not by every link', async () => {
    assert.equal((await failed('unauthorized', 5000)).category, ApplicationFailureCategory.BENIGN);
    assert.notEqual((await failed('unreachable')).category, ApplicationFailureCategory.BENIGN);
  });
});
