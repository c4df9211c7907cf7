export {
  connectTandem,
  TandemError,
  type Conflict,
  type FeedStatus,
  type FlowStatus,
  type LinkDetails,
  type SyncResult,
  type Tandem,
  type TandemStatus,
} from './tandem.ts';
