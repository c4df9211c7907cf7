export { connectTandem } from './tandem.ts';
export {
  type Conflict,
  type FeedStatus,
  type FlowStatus,
  type LinkDetails,
  type SyncResult,
  type Tandem,
  type TandemStatus,
} from './types.ts';
export { TandemError } from '../flows/tandemError.ts';
