export { connectTandem, type ConnectOptions } from './connect.ts';
export { CursorTooOld, NotFound, NotPossible, TimedOut, Unreachable } from './errors.ts';
export type {
  Change,
  ChangeEvent,
  Conflict,
  HeldChanges,
  Link,
  LinkDetails,
  PageOf,
  RemovedFlow,
  RemovedInstallation,
  StatusReport,
  SyncResult,
  View,
} from './model.ts';
export type { SyncOptions, Tandem } from './types.ts';
export type { Replayed } from '../worker/replay.ts';
export type { RemoveOptions } from './remove.ts';
export type { Renewed, RenewOptions } from './renew.ts';
export { TandemError, type TandemErrorKind, type TandemProblem } from '../flows/tandemError.ts';

// What is returned and taken, down to its parts.
export type { Condition, Flow, FlowsFile, Pair, SystemName } from '../flows/flow.ts';
export type { Side } from '../flows/side.ts';
export type { Value } from '../flows/values.ts';
export type { Status } from '../workflows/core/state.ts';

// For an adapter that speaks for a CRM which no profile can describe.
export type { Connector } from '../connectors/connector.ts';
export type { CrmAdapter } from '../connectors/crm/readCrm.ts';
export { SystemError, type Failure } from '../connectors/systemError.ts';
