export { connectTandem } from './tandem.ts';
export {
  TandemError,
  type Conflict,
  type FeedStatus,
  type FlowStatus,
  type LinkDetails,
  type SyncResult,
  type Tandem,
  type TandemStatus,
} from './types.ts';
