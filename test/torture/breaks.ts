/**
 * Deliberate breaks of promises, for the tests of the torture run alone: each must be caught. They stand in the model
 * or are put between the model and the product; the product itself has no such switch.
 */
export const BREAKS = {
  'blind-writes': 'No lost edit: writes go out without their condition',
  'old-revision-writes': 'No stale regression: an older revision overwrites the store',
  'stale-observations': 'No stale regression: a link believes an older observation',
  'create-without-lookup': 'No duplicate: a second try creates without looking, under another key',
  'base-from-sent': 'Convergence: the base is what was sent, not what the answer shows',
  'every-echo-wakes': 'No echo: each record of a feed is told to its link',
  'dropped-signals': 'Convergence: `seen` is set although the signal was lost',
  'no-history': 'No lost edit: what is overwritten is not kept',
  'gone-at-once': 'No resurrection: one 404 ends a link',
  'unmapped-writes': 'Nothing else touched: an unmapped property is written',
  'recreate-deleted': 'No resurrection: a deleted target is created again',
  'regressions-ignored': 'No stale regression: a system whose clock went back is never believed',
  'uncorrected-clocks': 'Conflicts go to the later edit: stamps are compared as they are, minutes apart',
} as const;
export type Break = keyof typeof BREAKS;
export type Breaks = ReadonlySet<Break>;
