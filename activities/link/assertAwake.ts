import type { Connector } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Attempt } from '../ports.ts';

/**
 * What cannot be done twice is not done by an attempt that slept: another may have done it long ago, and somebody have
 * undone it since. It fails instead, and the next looks first. Throws SystemError.
 */
export function assertAwake({ wasAsleep }: Attempt, { name }: Pick<Connector, 'name'>): void {
  if (wasAsleep()) throw new SystemError(name, 'unreachable', 'the worker was asleep');
}
