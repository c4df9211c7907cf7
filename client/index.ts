export {
  connectTandem,
  TandemError,
  type FeedStatus,
  type FlowStatus,
  type LinkDetails,
  type SyncResult,
  type Tandem,
  type TandemStatus,
} from './tandem.ts';
