import assert from 'node:assert/strict';
import { BREAKS, type Break } from './breaks.ts';
import { runSeeds } from './main.ts';
import { scheduleOf } from './schedule.ts';
import { story } from './story.ts';

describe('under random schedules of edits, lag, lost answers and crashes', function () {
  this.timeout(180_000);

  it('200 schedules break no promise', async () => {
    const failures = await runSeeds({ count: 200 });
    const [first] = failures;
    assert.equal(failures.length, 0, first && `${first.promises.join('\n')}\n${story(scheduleOf(first.seed))}`);
  });

  it('the same seed tells the same story', () => {
    assert.equal(story(scheduleOf(7)), story(scheduleOf(7)));
    assert.notEqual(story(scheduleOf(7)), story(scheduleOf(8)));
  });

  for (const name of Object.keys(BREAKS) as Break[])
    it(`a deliberate break is caught: ${name} (${BREAKS[name].promise}: ${BREAKS[name].what})`, async () => {
      const [caught] = await runSeeds({ count: 300, broken: [name], most: 1 });
      assert.ok(caught, 'no schedule noticed');
    });
});
