import type { LinkState, Rules } from '../../workflows/core/state.ts';
import { newRecord, stateOf } from '../../workflows/linkRecord.ts';

type Begun = Omit<Parameters<typeof newRecord>[0], 'flow' | 'rules'>;

/** A link as production begins it: its source was seen, nothing else is known. */
export const begin = ({ rules, ...known }: Begun & { readonly rules: Rules }): LinkState =>
  stateOf(newRecord({ flow: 'f', rules, ...known }), rules);
