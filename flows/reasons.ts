/** Why a record is not carried for now: a code that outlives its wording, what it means, and what a person can do. */
export interface Reason {
  readonly code: string;
  readonly meaning: string;
  readonly advice: string;
}

const REASONS: Readonly<Record<string, Omit<Reason, 'code'>>> = {
  400: {
    meaning: 'the system refused the values that it was sent',
    advice: 'read its text, correct the record on either side; the next edit tries again',
  },
  401: {
    meaning: 'the system does not take the key',
    advice: 'put a valid key into the environment and start the worker again',
  },
  403: {
    meaning: 'the key lacks the right to do this',
    advice: 'give the key that right in the system, then `npx tandem retry`',
  },
  404: {
    meaning: 'the system does not know the record, or a record that it belongs to',
    advice: 'look the record up in the system; where it is gone for good the link ends by itself',
  },
  409: {
    meaning: 'the system says that the record is in use, or that something of it is taken already',
    advice: 'free what its text names, then `npx tandem retry`',
  },
  413: { meaning: 'the system finds the record too large', advice: 'shorten it on the other side' },
  422: {
    meaning: 'the system understood the values and does not accept them',
    advice: 'read its text, correct the record on either side; the next edit tries again',
  },
  428: {
    meaning: 'the system wants a condition with each write',
    advice: 'name the condition in the CRM profile, and let `npx tandem profile check` see it',
  },
  unreachable: {
    meaning: 'it does not answer, or says that it cannot for now',
    advice: 'start it, or correct its address; everything goes on by itself as soon as it answers',
  },
  unauthorized: {
    meaning: 'it does not take the key, also after the token was renewed',
    advice: 'put a valid key into the environment and start the workers again',
  },
  throttled: {
    meaning: 'it says that it is called too often',
    advice: 'nothing to do: all workers wait as long as it says; where it lasts, see who else uses the key',
  },
  malformed: {
    meaning: 'its answer was cut short, no JSON, or not of the promised shape; such an answer is never taken for data',
    advice: 'see what stands between (a proxy, a maintenance page); for a CRM run `npx tandem profile check`',
  },
  refused: {
    meaning: 'the system refused in a way that only a person or another value can mend',
    advice: 'read its text, correct the record on either side; the next edit tries again',
  },
  outage: {
    meaning: 'within a minute it said of more than ten records that they are gone, and no list of ids had announced it',
    advice:
      'nothing to do: none of it is believed until a record that is known to live reads fine; see what the system says of itself',
  },
  clock: {
    meaning: "a worker's clock disagrees with the others', and by their clocks workers share the calls that a key may make",
    advice: 'let the clock of its machine be set (NTP)',
  },
  gone: {
    meaning: 'the record was not there when it was to be written',
    advice: 'look it up in the system; where it is gone for good the link ends by itself',
  },
  taken: {
    meaning: 'the target record is linked with another source record already',
    advice: '`npx tandem links` shows with which; unlink one of the two, then `npx tandem retry`',
  },
  type: {
    meaning: 'a value cannot be expressed in the data type of the other side',
    advice: 'correct the value, or give the pair another type in the flows',
  },
  ambiguous: {
    meaning: 'several records may be the partner, and Tandem never guesses',
    advice: 'make them differ, remove all but one, or say which with `npx tandem link`',
  },
  unmatched: {
    meaning: 'no record of the other side matches yet; nothing is wrong',
    advice: 'nothing to do: it is linked as soon as one does',
  },
  unconnected: {
    meaning: 'the record refers to no linked record yet; nothing is wrong',
    advice: 'nothing to do: it goes on as soon as one is linked',
  },
  held: {
    meaning: 'very many records of the flow would be ended, deleted, recreated, blanked or made equal within an hour',
    advice: 'if that is right: `npx tandem approve FLOW`; if not, put the records right first',
  },
  'not-configured': {
    meaning: 'no worker has its flow: it was taken out of the configuration',
    advice: 'configure the flow again, and a worker that starts lets it go on; or take it away with `npx tandem remove flow`',
  },
  unplanned: {
    meaning: 'the plan that the worker applies says nothing of it',
    advice: 'start the worker without --apply-plan, or make a new plan with `npx tandem plan`',
  },
  'flow-paused': {
    meaning: 'a person paused the flow, or one of its systems',
    advice: '`npx tandem resume NAME` lets it go on; what was edited or deleted meanwhile arrives then',
  },
  'partner-gone': {
    meaning: 'the record is there again, and its partner is not, or is linked elsewhere by now',
    advice: 'look both up; `npx tandem relink` ties it to a new partner, `npx tandem unlink` lets it rest',
  },
  merged: {
    meaning: 'the system answers with another record than was asked for: the two were merged there',
    advice: 'decide which source record goes with the survivor: `npx tandem unlink` one, `npx tandem link` the other',
  },
  'no-worker': {
    meaning: 'no worker asks Temporal for work, so nothing is carried; what is edited meanwhile arrives afterwards',
    advice: 'start one (`npx tandem worker`); of a versioned deployment, make its build the current version',
  },
  'task-fails': {
    meaning: 'links stand still: the workers’ version cannot carry their histories on, or has a fault',
    advice: 'read the workers’ log and run `npx tandem replay`; start the version that ran before, links lose nothing meanwhile',
  },
  unstored: {
    meaning: 'the system answered that it had written, and yet shows the old value',
    advice: 'check the right of the key and the update operation of the CRM profile, then `npx tandem retry`',
  },
};

/** Every code that Tandem itself gives, and those of HTTP that it explains. */
export const REASON_CODES: readonly string[] = Object.keys(REASONS);

/** What is known of a reason's code; a code of a system's own is explained as a refusal. */
export function reasonOf(code: string): Reason {
  const known = REASONS[code] ?? REASONS['refused'];
  if (!known) throw new Error('the registry of reasons has no entry for refusals');
  return { code, ...known };
}
