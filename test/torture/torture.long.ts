import assert from 'node:assert/strict';
import { runSeeds } from './main.ts';
import { scheduleOf } from './schedule.ts';
import { story } from './story.ts';

describe('under more random schedules than npm test has time for', () => {
  it('2,000 schedules break no promise', async () => {
    const failures = await runSeeds({ count: 2000, most: 1 });
    const [first] = failures;
    assert.equal(failures.length, 0, first && `${first.promises.join('\n')}\n${story(scheduleOf(first.seed))}`);
  });
});
