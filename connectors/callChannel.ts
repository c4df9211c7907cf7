import { channel } from 'node:diagnostics_channel';
import type { Failure } from './systemError.ts';

/** A call that was answered or failed, as whoever counts calls is told. */
export interface CallNote {
  /** As errors name it: "PowerOffice", "CRM". */
  readonly system: string;
  readonly result: 'ok' | 'aborted' | Failure;
}

/** Every call of every connector is told here, adapters' included where they use `call`; nobody need listen. */
export const CALLS = channel('tandem:call');
