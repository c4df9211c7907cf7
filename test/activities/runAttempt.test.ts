import assert from 'node:assert/strict';
import { MockActivityEnvironment } from '@temporalio/testing';
import { runAttempt } from '../../activities/runAttempt.ts';

describe('an attempt', () => {
  const { now } = Date;
  afterEach(() => void (Date.now = now));

  it('knows that its worker was asleep, also after it has beaten again', () => {
    const began = now();
    Date.now = () => began;
    return new MockActivityEnvironment().run(() =>
      runAttempt(async ({ wasAsleep }) => {
        assert.equal(wasAsleep(), false);
        Date.now = () => began + 4000;
        assert.equal(wasAsleep(), false);
        Date.now = () => began + 6000;
        assert.equal(wasAsleep(), true);
        Date.now = now;
        assert.equal(wasAsleep(), true);
      }),
    );
  });

  it('knows it where nobody asked before the next beat', () =>
    new MockActivityEnvironment().run(() =>
      runAttempt(async ({ wasAsleep }) => {
        Date.now = () => now() + 30_000;
        await new Promise((resolve) => setTimeout(resolve, 3200));
        assert.equal(wasAsleep(), true);
      }),
    ));
});
