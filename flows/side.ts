/** The two ends of a link. Records are created on the target for records of the source; values flow both ways. */
export type Side = 'source' | 'target';
export const SIDES: readonly Side[] = ['source', 'target'];

/** The other side. */
export const across = (side: Side): Side => (side === 'source' ? 'target' : 'source');
