export { connectTandem, type ConnectOptions } from './connect.ts';
export { CursorTooOld, NotFound, TimedOut } from './errors.ts';
export type { Change, ChangeEvent, Conflict, Link, LinkDetails, PageOf, StatusReport, SyncResult } from './model.ts';
export type { SyncOptions, Tandem } from './types.ts';
export type { Status } from '../workflows/core/state.ts';
export { TandemError } from '../flows/tandemError.ts';
