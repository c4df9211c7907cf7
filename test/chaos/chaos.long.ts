import { survives } from './survives.ts';

describe('the real thing under a longer attack', () => {
  it('five minutes of kills, outages and broken answers lose, double and block nothing', async () => {
    await survives(5, 23);
  });
});
