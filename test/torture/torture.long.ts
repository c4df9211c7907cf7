import assert from 'node:assert/strict';
import { runSeeds } from './main.ts';
import { scheduleOf, story } from './schedule.ts';

describe('under more random schedules than npm test has time for', () => {
  it('8,000 schedules break no promise', async () => {
    const failures = await runSeeds(1, 8000, [], 1);
    const [first] = failures;
    assert.equal(failures.length, 0, first && `${first.promises.join('\n')}\n${story(scheduleOf(first.seed))}`);
  });
});
