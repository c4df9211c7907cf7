/** Every index that a start makes, by collection and name; a test holds this list against what `prepare` makes. */
export const INDEXES: Readonly<Record<string, readonly string[]>> = {
  links: [
    'flow_1_sourceId_1',
    'targetSystem_1_targetType_1_targetId_1',
    'targetId_1',
    'status_1_flow_1_sourceId_1',
    'unnumbered_1',
    'uncarriedSince_1',
  ],
  candidates: ['keys_1', 'refs_1', 'flow_1_side_1_wakes_1'],
  history: ['link_1_at_-1', 'kept'],
  changes: ['key_1', 'kept'],
  idLists: ['feed_1'],
  setAside: ['feed_1_nextAt_1'],
  requests: ['kept'],
  steering: ['kept'],
};
