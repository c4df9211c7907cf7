import { MongoClient, MongoServerError, type Db } from 'mongodb';

/** Ways in which a store fails by itself, as the MongoDB-protocol server's test commands bring them about. */
export const STORE_FAILURES = ['error', 'closed', 'stalled', 'write concern', 'step-down'] as const;
export type StoreFailure = (typeof STORE_FAILURES)[number];

const COMMANDS = ['find', 'insert', 'update', 'delete', 'aggregate'];
/** PrimarySteppedDown, and a write that too few members have acknowledged. */
const STEPPED_DOWN = 189;
const UNREPLICATED = 64;
const NOT_PRIMARY = 10107;

const FAIL_POINTS: Readonly<Record<Exclude<StoreFailure, 'step-down'>, object>> = {
  error: { failCommands: COMMANDS, errorCode: STEPPED_DOWN },
  closed: { failCommands: COMMANDS, closeConnection: true },
  stalled: { failCommands: COMMANDS, blockConnection: true, blockTimeMS: 2000 },
  'write concern': {
    failCommands: ['insert', 'update', 'delete'],
    writeConcernError: { code: UNREPLICATED, errmsg: 'waiting for replication timed out' },
  },
};

/** Lets a server that was started for tests fail the next `times` commands, or step down for a moment. */
export async function failStore(address: string, failure: StoreFailure, times: number): Promise<void> {
  const client = await MongoClient.connect(`${address}/?directConnection=true`, { serverSelectionTimeoutMS: 3000 });
  try {
    const admin = client.db('admin');
    if (failure === 'step-down') await stepDown(admin);
    else await admin.command({ configureFailPoint: 'failCommand', mode: { times }, data: FAIL_POINTS[failure] });
  } finally {
    await client.close();
  }
}

/** A server that has just stepped down refuses to do so again: it is as it was to be. */
async function stepDown(admin: Db): Promise<void> {
  try {
    await admin.command({ replSetStepDown: 2, force: true });
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== NOT_PRIMARY) throw error;
  }
}
