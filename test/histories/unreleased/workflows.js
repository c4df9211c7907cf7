// workflows/feed.ts
import { continueAsNew, proxyActivities, setCurrentDetails } from "@temporalio/workflow";
async function feed(input) {
  setCurrentDetails(
    `watching ${input.system} ${input.type}; a watcher that falls silent is replaced after ${input.takeoverSeconds} s`
  );
  const { watchFeed } = proxyActivities({
    startToCloseTimeout: "26 hours",
    heartbeatTimeout: input.takeoverSeconds * 1e3,
    retry: { initialInterval: "1 second", backoffCoefficient: 1 },
    summary: `watch ${input.system} ${input.type}`
  });
  await watchFeed(input);
  await continueAsNew(input);
}

// workflows/link.ts
import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  defineQuery,
  defineSignal,
  defineUpdate,
  patched as patched2,
  proxyActivities as proxyActivities2,
  setCurrentDetails as setCurrentDetails2,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo
} from "@temporalio/workflow";
import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";

// flows/names.ts
var SEARCH_ATTRIBUTES = {
  flow: "TandemFlow",
  status: "TandemStatus",
  sourceId: "TandemSourceId",
  targetId: "TandemTargetId"
};
var MESSAGES = {
  observed: "observed",
  vanished: "vanished",
  steer: "steer",
  settled: "settled",
  sync: "sync",
  renew: "renew",
  state: "state"
};
var PATCHES = { renewal: "renewal", patience: "patience" };

// flows/values.ts
function isNoValue(value) {
  return value === void 0 || value === null || value === "";
}
function sameValue(a, b) {
  if (isNoValue(a) || isNoValue(b)) return isNoValue(a) && isNoValue(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  return a === b;
}
function sameValues(a, b) {
  for (const key of Object.keys(a)) if (!sameValue(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (!(key in a) && !isNoValue(b[key])) return false;
  return true;
}

// flows/convert.ts
var ConversionError = class extends Error {
  name = "ConversionError";
};
var INTEGER = /^[+-]?\d+$/;
var DECIMAL = /^[+-]?(\d+)(\.\d+)?$/;
function fail(type, value) {
  throw new ConversionError(`a ${Array.isArray(value) ? "list" : typeof value} that is no ${type}`);
}
function canonicalDecimal(text) {
  const match = DECIMAL.exec(text.trim());
  if (!match) return fail("decimal", text);
  const negative = text.trim().startsWith("-");
  const whole = (match[1] ?? "0").replace(/^0+(?=\d)/, "");
  const rest = (match[2] ?? "").replace(/\.?0+$/, "");
  return (negative && !/^0*$/.test(whole + rest.replace(".", "")) ? "-" : "") + whole + rest;
}
function decimalText(value) {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = "", head = "", tail = "", exponent = "0"] = match;
  const shift = Number(exponent);
  if (shift > 0) return sign + (head + tail).padEnd(shift + 1, "0");
  return `${sign}0.${"0".repeat(-shift - 1)}${head}${tail}`;
}
function convert(value, type) {
  if (value === void 0 || isNoValue(value)) return null;
  if (type === "none") return value;
  if (type === "list") return Array.isArray(value) ? value : [value];
  if (type === "first") return Array.isArray(value) ? value[0] ?? null : value;
  if (Array.isArray(value)) return value.length === 1 ? convert(value[0], type) : value.length === 0 ? null : fail(type, value);
  switch (type) {
    case "string":
      return String(value);
    case "integer": {
      const text = String(value).trim();
      const number = Number(text);
      return INTEGER.test(text) && Number.isSafeInteger(number) ? number : fail(type, value);
    }
    case "float": {
      const number = typeof value === "string" ? Number(value.trim() || Number.NaN) : Number(value);
      return typeof value !== "boolean" && Number.isFinite(number) ? number : fail(type, value);
    }
    case "decimal":
      return typeof value === "boolean" ? fail(type, value) : canonicalDecimal(typeof value === "number" ? decimalText(value) : String(value));
    case "boolean": {
      if (typeof value === "boolean") return value;
      const text = String(value).trim().toLowerCase();
      if (text === "true" || text === "1") return true;
      return text === "false" || text === "0" ? false : fail(type, value);
    }
  }
}
function convertBack(pair, value) {
  if (pair.type === "first" && Array.isArray(value.source)) {
    const rest = value.source.slice(1);
    return isNoValue(value.target) && rest.length === 0 ? [] : [value.target, ...rest];
  }
  return convert(value.target, pair.back ?? pair.type);
}

// flows/valuesMatch.ts
function valuesMatch(type, source, target) {
  try {
    const wanted = convert(source, type);
    return sameValue(wanted, target) || sameValue(wanted, convert(target, type));
  } catch {
    return false;
  }
}
function conditionsHold(pair, values) {
  return (pair.when ?? []).every(({ side, property, value }) => {
    const now = values[side][property];
    return (isNoValue(now) ? "" : String(now)) === value;
  });
}

// flows/side.ts
var SIDES = ["source", "target"];
var across = (side) => side === "source" ? "target" : "source";

// workflows/core/absence.ts
var GONE_APART_MS = 6e3;
var GONE_READS = 2;
var GONE_UNANNOUNCED_MS = 6e5;
var FIRST_PAUSE_MS = 1e4;
var LONGEST_PAUSE_MS = 36e5;
function isBelievedGone({ reads, since, lastAt, listed }) {
  if (reads < GONE_READS) return false;
  return since === void 0 || listed === true && (lastAt ?? since) - since >= GONE_UNANNOUNCED_MS;
}
function missedAgain(before, now) {
  if (before && before.since === void 0) return { ...before, reads: before.reads + 1, nextAt: now + GONE_APART_MS };
  const reads = (before?.reads ?? 0) + 1;
  const since = before?.since ?? now;
  const next = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (reads - 1));
  const nextAt = now < since + GONE_UNANNOUNCED_MS ? Math.min(next, since + GONE_UNANNOUNCED_MS) : next;
  return { ...before, reads, since, lastAt: now, nextAt };
}
function missedInOutage(before, now) {
  const pause = Math.min(6e4, FIRST_PAUSE_MS * 2 ** (before?.reads ?? 0));
  return { reads: before?.reads ?? 0, since: now, lastAt: now, nextAt: now + pause };
}
function missingFromList(before, now) {
  if (!before) return { reads: 0, nextAt: now };
  return {
    ...before,
    listed: true,
    nextAt: Math.min(before.nextAt, now),
    ...before.since === void 0 ? {} : { lastAt: before.since }
  };
}

// workflows/core/merge.ts
function laterEdit(source, target) {
  if (target[0] > source[1]) return { winner: "target", tie: false };
  return { winner: "source", tie: !(source[0] > target[1]) };
}
function editInstants(side, property) {
  return side.since[property] ?? side.seen?.at ?? [0, 0];
}
function merge(state) {
  const { source, target } = state;
  const agreed = [];
  const writes = { source: [], target: [] };
  const asks = [];
  let unconvertible = null;
  if (!source.seen || !target.seen) return { agreed, writes, asks, unconvertible };
  for (const pair of state.rules.pairs) {
    const value = { source: source.seen.values[pair.source] ?? null, target: target.seen.values[pair.target] ?? null };
    const has = { source: pair.source in source.base, target: pair.target in target.base };
    const moved = {
      source: !has.source || !sameValue(value.source, source.base[pair.source]),
      target: !has.target || !sameValue(value.target, target.base[pair.target])
    };
    if (!conditionsHold(pair, { source: source.seen.values, target: target.seen.values })) continue;
    const express = (from) => {
      try {
        return { value: from === "source" ? convert(value.source, pair.type) : convertBack(pair, value) };
      } catch (error) {
        if (!(error instanceof ConversionError)) throw error;
        unconvertible ??= { side: from, property: pair[from], message: error.message };
        return null;
      }
    };
    const carry = (winner, why, instants2) => {
      const loser = across(winner);
      const wanted2 = express(winner);
      if (!wanted2) return;
      if (sameValue(wanted2.value, value[loser]) || valuesMatch(pair.type, value.source, value.target))
        agreed.push({ source: pair.source, target: pair.target });
      else
        writes[loser].push({
          property: pair[loser],
          value: wanted2.value,
          expected: value[loser],
          from: { property: pair[winner], value: value[winner] },
          why,
          ...instants2 ? { instants: instants2 } : {}
        });
    };
    const verdict = state.verdicts[pair.source];
    if (verdict) {
      for (const side of SIDES)
        if (!verdict.done.includes(side) && !sameValue(verdict[side], value[side]))
          writes[side].push({ property: pair[side], value: verdict[side], expected: value[side], from: null, why: verdict.why });
      continue;
    }
    if (!moved.source && !moved.target) continue;
    if (pair.direction !== void 0) {
      const writer = pair.direction === "toTarget" ? "source" : "target";
      carry(writer, moved[writer] ? "edited" : `the ${writer} alone writes it`);
      continue;
    }
    if (moved.source !== moved.target) {
      carry(moved.source ? "source" : "target", "edited");
      continue;
    }
    const wanted = express("source");
    if (!wanted) continue;
    if (valuesMatch(pair.type, value.source, value.target)) {
      agreed.push({ source: pair.source, target: pair.target });
      continue;
    }
    const instants = { source: editInstants(source, pair.source), target: editInstants(target, pair.target) };
    if (pair.policy === "ask") asks.push(pair.source);
    else if (pair.policy === "latest") {
      const { winner, tie } = laterEdit(instants.source, instants.target);
      carry(winner, tie ? "conflict, too close to order: source" : `conflict, edited later: ${winner}`, instants);
    } else carry(pair.policy, `conflict, by policy: ${pair.policy}`, instants);
  }
  return { agreed, writes, asks, unconvertible };
}

// workflows/core/state.ts
var isWaiting = (block2) => block2?.code === "unmatched" || block2?.code === "unconnected";

// workflows/core/step.ts
function underRevision(state, step) {
  const revision = state.revision + 1;
  return { state: { ...state, revision }, step: step(revision) };
}
function idle(state, until) {
  if (state.stored) return { state, step: { kind: "wait", until } };
  return underRevision(state, (revision) => ({ kind: "store", revision }));
}

// workflows/core/transitions.ts
function withStatus(state, { now, status, ended = null }) {
  if (state.status === status && state.ended === ended) return state;
  return { ...state, status, ended, statusAt: now, stored: false };
}
function rebase(state, { side, property, value }) {
  const now = state[side];
  const { [property]: _, ...since } = now.since;
  const isCurrent = sameValue(now.seen?.values[property], value);
  return { ...state, [side]: { ...now, base: { ...now.base, [property]: value }, since: isCurrent ? since : now.since } };
}
function resetTarget(state, now) {
  const target = { id: null, seen: null, base: {}, since: {}, doubt: false, gone: null };
  const source = { ...state.source, base: {}, gone: null };
  return withStatus(
    { ...state, source, target, incarnation: state.incarnation + 1, block: null, verdicts: {}, conflicts: [], stored: false },
    { now, status: "linking" }
  );
}

// workflows/core/phases.ts
var BLOCK_RETRY_MS = 24 * 3600 * 1e3;
var PAUSE_RETRY_MS = 3600 * 1e3;
var triedAgainAt = ({ code, at }) => at + (code === "flow-paused" ? PAUSE_RETRY_MS : BLOCK_RETRY_MS);
var isStanding = (refusal, now) => now < triedAgainAt(refusal);
var holdsAll = ({ code }) => code === "held" || code === "flow-paused";
var holdsOneSide = ({ code, both }) => both !== true && (code === "type" || code === "unstored" || /^\d+$/.test(code));
var blockedSide = ({ code, side }) => code === "type" ? across(side) : side;
var blockedStatus = ({ code }) => isWaiting({ code }) ? "linking" : code === "flow-paused" ? "paused" : "blocked";
var waitBlocked = (state, refusal, now) => idle(withStatus(state, { now, status: blockedStatus(refusal), ended: state.ended }), triedAgainAt(refusal));
var ending = (state, now) => {
  if (state.ended === "source gone") {
    if (state.source.doubt && state.final !== true) return { state, step: { kind: "read", sides: lookedAt(state) } };
    return state.stored ? { state, step: { kind: "close" } } : idle(state, null);
  }
  if (state.paused) return idle(withStatus(state, { now, status: "paused", ended: state.ended }), null);
  if (state.ended === "unlinked by hand") return idle(withStatus(state, { now, status: "ended", ended: state.ended }), null);
  if (state.block && isStanding(state.block, now) && holdsAll(state.block)) return waitBlocked(state, state.block, now);
  return state;
};
var lookedAt = (state) => SIDES.filter((side) => state[side].id !== null);
var deletion = (before, now) => {
  let state = before;
  if (state.block?.read === true && isStanding(state.block, now)) return waitBlocked(state, state.block, now);
  for (const side of SIDES) {
    const { gone } = state[side];
    if (!gone) continue;
    const neverSeen = side === "source" && state.source.seen === null && state.target.id === null && state.revision === 0;
    if (neverSeen && gone.reads > 0)
      return {
        state: { ...withStatus(state, { now, status: "ended", ended: "source gone" }), stored: true },
        step: { kind: "close" }
      };
    if (!isBelievedGone(gone)) {
      if (gone.nextAt > now) return idle(state, gone.nextAt);
      const announced = gone.since === void 0;
      const list = !announced && gone.listed !== true && now - (gone.since ?? now) >= GONE_UNANNOUNCED_MS;
      return { state, step: { kind: "confirm", side, ...announced ? { announced } : {}, ...list ? { list } : {} } };
    }
    if (side === "target" && state.ended !== "target gone" && state.rules.onTargetDeleted === "recreate") {
      state = { ...resetTarget(state, now), recreates: true };
      continue;
    }
    return believed(state, side, now);
  }
  return state.ended === "target gone" ? withStatus(state, { now, status: "in-step" }) : state;
};
function believed(state, side, now) {
  const { onSourceDeleted, onTargetDeleted } = state.rules;
  const other = across(side);
  const deletes = (side === "source" ? onSourceDeleted : onTargetDeleted) === "delete";
  if (deletes && state[other].id !== null && state.ended !== "target gone") {
    if (state.block && isStanding(state.block, now)) return waitBlocked(state, state.block, now);
    return underRevision({ ...state, block: null }, (revision) => ({ kind: "remove", revision, side: other }));
  }
  if (state.ended === "target gone" && state.target.doubt) return { state, step: { kind: "read", sides: ["target"] } };
  const what = side === "source" ? "the source record was deleted" : "the target record was deleted";
  const last = state.ended === null ? { what, at: now } : state.last;
  const ended = withStatus(
    { ...state, block: null, last },
    { now, status: "ended", ended: side === "source" ? "source gone" : "target gone" }
  );
  if (side === "source" && ended.stored) return { state: ended, step: { kind: "close" } };
  return idle(ended, null);
}
var reading = (state) => {
  const doubted = SIDES.filter(
    (side) => state[side].id !== null && (state[side].doubt || side === "source" && !state.source.seen)
  );
  return doubted.length > 0 ? { state, step: { kind: "read", sides: doubted } } : state;
};
var scope = (state, now) => {
  if (state.source.seen?.inScope === false || state.target.seen?.inScope === false) {
    const last2 = state.ended === "out of scope" ? state.last : { what: "a record left the scope of the flow", at: now };
    return idle(withStatus({ ...state, block: null, last: last2 }, { now, status: "ended", ended: "out of scope" }), null);
  }
  if (state.ended !== "out of scope") return state;
  const last = { what: "the record came back into scope", at: now };
  return withStatus({ ...state, last }, { now, status: state.target.id === null ? "linking" : "in-step" });
};
var block = (state, now) => {
  if (!state.block) return state;
  if (!isStanding(state.block, now)) {
    const partner = state.block.code === "partner-gone" ? { target: { ...state.target, doubt: true } } : {};
    const freed = { ...state, ...partner, block: null, stored: false };
    return "target" in partner ? { state: freed, step: { kind: "read", sides: ["target"] } } : freed;
  }
  if (state.target.id !== null && holdsOneSide(state.block)) return state;
  return waitBlocked(state, state.block, now);
};
var creation = (state, now) => {
  if (state.target.id === null) {
    const { values, unconvertible } = creationValues(state);
    if (unconvertible !== null) return blockOn(state, { side: "source", property: unconvertible, now });
    const what = `the ${state.rules.names.target} was created`;
    return underRevision(state, (revision) => ({ kind: "create", revision, values, status: "in-step", what }));
  }
  return state.target.seen ? state : { state, step: { kind: "read", sides: ["target"] } };
};
function merging(before, now) {
  let state = settle(before);
  const { writes, asks, unconvertible } = merge(state);
  const blocked = state.block && blockedSide(state.block);
  const status = blocked ? "blocked" : asks.length > 0 ? "conflict" : "in-step";
  if (asks.join() !== state.conflicts.join()) state = { ...state, conflicts: asks, stored: false };
  for (const side of ["target", "source"]) {
    const assignments = writes[side];
    if (assignments.length === 0 || side === blocked) continue;
    const properties = assignments.map((each) => each.property).join(", ");
    const what = `${properties}, from ${state.rules.names[across(side)]} to ${state.rules.names[side]}`;
    return underRevision(state, (revision) => ({ kind: "write", revision, side, assignments, status, what }));
  }
  if (unconvertible && blocked !== across(unconvertible.side))
    return blockOn(state, { side: unconvertible.side, property: unconvertible.property, now });
  const standing = state.block;
  return standing ? waitBlocked(state, standing, now) : idle(withStatus(state, { now, status }), null);
}
function blockOn(state, { side, property, now }) {
  const both = state.block !== null && blockedSide(state.block) === side;
  const refusal = { code: "type", side, properties: [property], at: now, ...both ? { both } : {} };
  return idle(withStatus({ ...state, block: refusal, stored: false }, { now, status: "blocked" }), now + BLOCK_RETRY_MS);
}
function settle(state) {
  let next = state;
  for (const pair of merge(state).agreed) {
    for (const side of SIDES)
      next = rebase(next, { side, property: pair[side], value: next[side].seen?.values[pair[side]] ?? null });
    next = { ...next, stored: false };
  }
  for (const pair of next.rules.pairs) {
    let verdict = next.verdicts[pair.source];
    if (!verdict) continue;
    for (const side of SIDES) {
      const value = next[side].seen?.values[pair[side]] ?? null;
      if (verdict.done.includes(side) || !sameValue(verdict[side], value)) continue;
      verdict = { ...verdict, done: [...verdict.done, side] };
      next = { ...rebase(next, { side, property: pair[side], value }), stored: false };
    }
    const { [pair.source]: _, ...open } = next.verdicts;
    next = { ...next, verdicts: verdict.done.length === SIDES.length ? open : { ...open, [pair.source]: verdict } };
  }
  return next;
}
function creationValues(state) {
  const values = { ...state.rules.create };
  const source = state.source.seen?.values ?? {};
  for (const pair of state.rules.pairs) {
    if (pair.direction === "toSource" || !conditionsHold(pair, { source, target: values })) continue;
    try {
      const value = convert(state.source.seen?.values[pair.source], pair.type);
      if (!isNoValue(value)) values[pair.target] = value;
    } catch {
      return { values, unconvertible: pair.source };
    }
  }
  return { values, unconvertible: null };
}

// workflows/core/lifecycle.ts
var PHASES = [ending, deletion, reading, scope, block, creation];
function advance(before, now) {
  let state = before;
  for (const phase of PHASES) {
    const next = phase(state, now);
    if ("step" in next) return next;
    state = next;
  }
  return merging(state, now);
}

// workflows/earlier.ts
import { patched } from "@temporalio/workflow";

// workflows/core/observe.ts
function sinceOf(side, seen) {
  const since = {};
  for (const [property, value] of Object.entries(seen.values)) {
    if (property in side.base && sameValue(value, side.base[property])) continue;
    const before = side.seen && sameValue(side.seen.values[property], value) ? side.since[property] : void 0;
    since[property] = before ?? seen.at;
  }
  return since;
}
function adopt(now, seen, alive) {
  const { older: _, ...side } = now;
  return { ...side, seen, since: sinceOf(side, seen), doubt: false, gone: alive ? null : side.gone };
}
function observe(state, { side, seen, direct = false }) {
  const now = state[side];
  const before = now.seen;
  if (before && seen.version < before.version) return direct ? olderRead(state, { side, seen, before }) : state;
  const same = before !== null && sameValues(before.values, seen.values) && before.inScope === seen.inScope;
  if (before && seen.version === before.version && !same && !direct) return { ...state, [side]: { ...now, doubt: true } };
  const next = { ...state, [side]: adopt(now, seen, direct || !before || seen.version > before.version) };
  return same ? next : { ...next, block: null };
}
function olderRead(state, { side, seen, before }) {
  const now = state[side];
  if (now.older !== seen.version) return { ...state, [side]: { ...now, doubt: true, gone: null, older: seen.version } };
  const back = now.back !== void 0 && now.back > before.version ? now.back : before.version;
  return { ...state, block: null, stored: false, [side]: { ...adopt(now, seen, true), back } };
}
function answered(state, side, seen) {
  const before = state[side].seen;
  if (!before || seen.version >= before.version) return observe(state, { side, seen });
  return { ...state, [side]: adopt(state[side], seen, true) };
}
function sighted(state, { side, seen, regressed }) {
  const before = state[side].seen;
  const newer = !before || seen.version > before.version;
  const doubted = { ...state, [side]: { ...state[side], doubt: true } };
  if (state.ended === "source gone" || state.ended === "target gone" && side === "target")
    return state.final !== true && newer && (side === "source" || state.ended === "target gone") ? doubted : state;
  return regressed && before && seen.version < before.version ? doubted : observe(state, { side, seen });
}
function suspectGone(state, side, now) {
  const { gone } = state[side];
  if (gone && isBelievedGone(gone)) return state;
  return { ...state, [side]: { ...state[side], gone: missingFromList(gone, now) } };
}
function doubtBothSides(state) {
  const doubted = (side) => side.id === null ? side : { ...side, doubt: true };
  return { ...state, block: null, source: doubted(state.source), target: doubted(state.target) };
}
function changeRules(state, rules) {
  if (rules.hash === state.rules.hash) return state;
  const keep = (side) => {
    const names = new Set(rules.pairs.map((pair) => pair[side]));
    const base = Object.fromEntries(Object.entries(state[side].base).filter(([name]) => names.has(name)));
    return { ...state[side], base, doubt: state[side].id !== null };
  };
  return { ...state, rules, source: keep("source"), target: keep("target"), block: null, verdicts: {}, stored: false };
}

// flows/initialBase.ts
function initialBase(pairs, values, how) {
  const base = { source: {}, target: {} };
  if (how === "adopted") return base;
  for (const pair of pairs) {
    const value = { source: values.source[pair.source] ?? null, target: values.target[pair.target] ?? null };
    if (how === "matched") {
      for (const side of SIDES) if (isNoValue(value[side]) && !isNoValue(value[across(side)])) base[side][pair[side]] = null;
      continue;
    }
    if (pair.direction === "toSource") continue;
    base.target[pair.target] = value.target;
    if (how === "made" || valuesMatch(pair.type, value.source, value.target)) base.source[pair.source] = value.source;
  }
  return base;
}

// workflows/core/outcome.ts
function applyFound(state, found, now) {
  if (state.ended === "source gone") return revived(state, found, now);
  let next = state;
  for (const side of SIDES) {
    const what = found[side];
    if (what === void 0) continue;
    if (what !== "gone" && what !== "unsure") {
      next = observe(next, { side, seen: what, direct: true });
      continue;
    }
    const before = next[side].gone;
    const known = before !== null && isBelievedGone(before);
    const gone = known ? before : what === "gone" ? missedAgain(before, now) : missedInOutage(before, now);
    next = { ...next, [side]: { ...next[side], doubt: false, gone } };
    if (!known && isBelievedGone(gone)) next = { ...next, block: null };
  }
  return next;
}
function revived(state, found, now) {
  const { source, target } = found;
  if (state.final === true || source === void 0 || typeof source === "string")
    return { ...state, source: { ...state.source, doubt: false } };
  const last = { what: `the ${state.rules.names.source} was believed gone and is there after all`, at: now };
  let next = {
    ...withStatus(state, { now, status: state.target.id === null ? "linking" : "in-step" }),
    last,
    stored: false
  };
  const { gone: _, older: __, ...side } = next.source;
  next = observe({ ...next, source: { ...side, seen: null, gone: null } }, { side: "source", seen: source, direct: true });
  if (target === void 0) return next;
  if (typeof target !== "string") return observe(next, { side: "target", seen: target, direct: true });
  const block2 = { code: "partner-gone", side: "target", properties: [], at: now };
  return { ...withStatus(next, { now, status: "blocked" }), block: block2 };
}
function applyOutcome(state, { step, outcome, now }) {
  let next = applyResult(state, { step, outcome, now });
  for (const side of SIDES) {
    const seen = outcome.news?.[side];
    if (seen && next[side].id !== null) next = observe(next, { side, seen });
  }
  return next;
}
function applyResult(before, { step, outcome, now }) {
  const { chosen, ...rest } = before;
  const state = chosen !== void 0 && step.kind === "create" && outcome.kind !== "contended" ? rest : before;
  switch (outcome.kind) {
    case "created": {
      if (step.kind !== "create") return state;
      let next = { ...state, target: { ...state.target, id: outcome.id }, block: null };
      next = observe(next, { side: "target", seen: outcome.seen });
      const how = outcome.matched ? "matched" : outcome.adopted ? "adopted" : outcome.found ? "found" : "made";
      const values = {
        source: next.source.seen?.values ?? {},
        target: outcome.matched ? next.target.seen?.values ?? {} : outcome.base ?? outcome.seen.values
      };
      const base = initialBase(state.rules.pairs, values, how);
      for (const side of SIDES)
        for (const [property, value] of Object.entries(base[side])) next = rebase(next, { side, property, value });
      const what = outcome.matched ? `linked with the ${state.rules.names.target} that matches` : step.what;
      return committed({
        ...withStatus(next, { now, status: outcome.matched ? state.status : step.status }),
        last: { what, at: now }
      });
    }
    case "written": {
      if (step.kind !== "write") return state;
      const expected = { ...state[step.side].seen?.values };
      let next = answered({ ...state, block: null }, step.side, outcome.seen);
      for (const assignment of step.assignments) {
        const value = (outcome.base ?? outcome.seen.values)[assignment.property] ?? null;
        expected[assignment.property] = value;
        next = rebase(next, { side: step.side, property: assignment.property, value });
        if (assignment.from)
          next = rebase(next, { side: across(step.side), property: assignment.from.property, value: assignment.from.value });
        else next = markVerdictDone(next, step.side, assignment.property);
      }
      const block2 = step.status === "blocked" && sameValues(expected, outcome.seen.values) ? state.block : null;
      return committed({ ...withStatus({ ...next, block: block2 }, { now, status: step.status }), last: { what: step.what, at: now } });
    }
    case "contended":
    case "read":
      return applyFound({ ...state, revision: Math.max(state.revision, outcome.revision ?? 0) }, outcome.found, now);
    case "removed":
      if (step.kind !== "remove") return state;
      return {
        ...withStatus(state, { now, status: "ended", ended: "source gone" }),
        final: true,
        last: {
          what: `the ${state.rules.names[across(step.side)]} was deleted, and the ${state.rules.names[step.side]} with it`,
          at: now
        }
      };
    case "stored":
      return committed(state);
    case "refused": {
      const { code, side, properties, revision = 0 } = outcome;
      const both = state.block !== null && state.block.side !== side;
      const read = step.kind === "read" || step.kind === "confirm";
      const block2 = { code, side, properties, at: now, ...read ? { read } : {}, ...both ? { both } : {} };
      const counted = { ...state, revision: Math.max(state.revision, revision) };
      const next = withStatus(counted, {
        now,
        status: blockedStatus(outcome),
        ended: code === "flow-paused" ? state.ended : null
      });
      return code === "flow-paused" ? { ...next, stored: false, block: block2 } : { ...committed(next), block: block2 };
    }
  }
}
function committed(before) {
  const { approved: _, recreates, ...state } = before;
  const { back: __, ...source } = state.source;
  const { back: ___, ...target } = state.target;
  return { ...state, source, target, stored: true, ...recreates === true && target.id === null ? { recreates } : {} };
}
function markVerdictDone(state, side, property) {
  const pair = state.rules.pairs.find((each) => each[side] === property);
  const verdict = pair && state.verdicts[pair.source];
  if (!pair || !verdict) return state;
  return { ...state, verdicts: { ...state.verdicts, [pair.source]: { ...verdict, done: [...verdict.done, side] } } };
}

// workflows/core/receive.ts
function receive(state, message, now) {
  switch (message.kind) {
    case "observed": {
      const next = message.rules ? changeRules(state, message.rules) : state;
      if (next[message.side].id !== message.id) return next;
      return sighted(next, { side: message.side, seen: message.seen, regressed: message.regressed === true });
    }
    case "vanished":
      if (state[message.side].id === null || state.ended === "source gone") return state;
      return { ...suspectGone(state, message.side, now), ...message.approved === true ? { approved: true } : {} };
    case "sync":
      return doubtBothSides(message.requestId === void 0 ? state : remembering(state, message.requestId, now));
    case "retry":
      if (!state.block) return state;
      return {
        ...state.block.code === "partner-gone" ? doubtBothSides(state) : state,
        block: null,
        ...message.approved === true ? { approved: true } : {}
      };
    case "pause":
      return { ...state, paused: true };
    case "resume":
      return state.paused ? doubtBothSides({ ...state, paused: false }) : state;
    case "unlink":
      if (state.ended === "source gone") return state;
      return {
        ...withStatus(state, { now, status: "ended", ended: "unlinked by hand" }),
        last: { what: "unlinked by hand", at: now }
      };
    case "relink":
      if (state.ended === "unlinked by hand")
        return doubtBothSides(state.target.id === null ? resetTarget(state, now) : withStatus(state, { now, status: "linking" }));
      return state.ended === "target gone" ? doubtBothSides(resetTarget(state, now)) : state;
    case "link":
      return state.target.id === null && state.ended === null ? { ...state, chosen: message.id, block: null } : state;
    case "settle": {
      const verdict = { source: message.source, target: message.target, why: message.why, done: [] };
      return { ...state, verdicts: { ...state.verdicts, [message.property]: verdict } };
    }
  }
}
var REQUEST_KEPT_MS = 24 * 36e5;
var REQUESTS_KEPT = 50;
function remembering(state, id, now) {
  const recent = (state.requests ?? []).filter(({ at }) => at > now - REQUEST_KEPT_MS);
  return { ...state, requests: [...recent, { id, at: now }].slice(-REQUESTS_KEPT) };
}

// workflows/earlier.ts
var isPatient = ({ gone, older }) => gone?.since !== void 0 || older !== void 0;
function impatient(side, now) {
  const { older, gone, ...rest } = side;
  if (older !== void 0) return { ...rest, doubt: false, gone: null };
  return { ...rest, gone: gone && { reads: gone.reads, nextAt: now + GONE_APART_MS } };
}
function concluded(state, become) {
  const next = applyOutcome(state, become);
  const refusedRemoval = become.step.kind === "remove" && become.outcome.kind === "refused";
  const patient = SIDES.filter((side) => isPatient(next[side]));
  if (!refusedRemoval && patient.length === 0 || patched(PATCHES.patience)) return next;
  return {
    ...next,
    // Asked again at once.
    block: refusedRemoval ? null : next.block,
    ...Object.fromEntries(patient.map((side) => [side, impatient(next[side], become.now)]))
  };
}
function heard(state, message, now) {
  const next = receive(state, message, now);
  const revives = message.kind === "observed" && message.side === "target" && state.ended === "target gone";
  if (!revives || !next.target.doubt || state.target.doubt || patched(PATCHES.patience)) return next;
  return observe({ ...next, target: { ...next.target, doubt: false } }, { side: "target", seen: message.seen });
}

// workflows/record.ts
function recordOf(state, then) {
  return {
    flow: state.flow,
    sourceId: state.source.id ?? "",
    targetId: state.target.id,
    revision: state.revision,
    incarnation: state.incarnation,
    rules: state.rules.hash,
    status: then?.status ?? state.status,
    statusAt: then && then.status !== state.status ? then.last?.at ?? state.statusAt : state.statusAt,
    ended: then ? null : state.ended,
    // A refusal that the other side's write leaves standing.
    block: then && then.status !== "blocked" ? null : state.block,
    conflicts: state.conflicts,
    last: then?.last ?? state.last,
    base: { source: state.source.base, target: state.target.base },
    seen: { source: state.source.seen, target: state.target.seen },
    ...state.final === true ? { final: true } : {},
    ...state.approved === true ? { approved: true } : {},
    ...state.source.back === void 0 && state.target.back === void 0 ? {} : { back: backOf(state) }
  };
}
function backOf({ source, target }) {
  return {
    ...source.back === void 0 ? {} : { source: source.back },
    ...target.back === void 0 ? {} : { target: target.back }
  };
}

// workflows/words.ts
var instant = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
function pairInWords(state) {
  return SIDES.map((side) => `${state.rules.names[side]} ${state[side].id ?? "(none yet)"}`).join(" <-> ");
}
function memoInWords(state) {
  return { pair: pairInWords(state), status: state.ended ? `${state.status}: ${state.ended}` : state.status };
}
function statusInWords(state) {
  const since = instant(state.statusAt);
  switch (state.status) {
    case "linking":
      if (state.block?.code === "unmatched") return `waiting since ${since} for a ${state.rules.names.target} that matches`;
      if (state.block?.code === "unconnected") return `waiting since ${since} until a record that it refers to is linked`;
      return `linking since ${since}`;
    case "in-step":
      return `in step since ${since}`;
    case "conflict":
      return `conflict since ${since} on ${state.conflicts.join(", ")}: both sides were edited; decide with \`tandem resolve\``;
    case "blocked":
      if (state.block?.code === "held")
        return `held back since ${since}: very many records of ${state.flow} would be ended, deleted, created anew, blanked or made equal within an hour. If that is right: \`tandem approve ${state.flow}\`, else \`tandem withdraw ${state.flow}\``;
      if (state.block?.code === "unplanned")
        return `held back since ${since}: not in the plan that the worker applies; a start without --apply-plan lets it go on`;
      if (state.block?.code === "partner-gone")
        return `blocked since ${since}: the ${state.rules.names.source} was believed gone and is there after all, but its ${state.rules.names.target} is gone. \`tandem retry\` looks again; \`tandem unlink\` and \`tandem relink\` create it anew`;
      return state.block ? `blocked since ${since}: ${state.rules.names[state.block.side]} refused (${state.block.code})${state.block.properties.length > 0 ? `, ${state.block.properties.join(", ")}` : ""}; its own text: \`tandem show\`. Tried again on the next edit, on request and once a day` : `blocked since ${since}`;
    case "paused":
      if (state.block?.code === "flow-paused")
        return `waiting since ${since}: ${state.flow}, or one of its systems, is paused; \`tandem resume\` lets it go on`;
      return `paused since ${since}; edits made meanwhile arrive after \`tandem resume\``;
    case "ended":
      return `ended since ${since}: ${state.ended}`;
  }
}
function missingInWords(state) {
  const side = SIDES.find((each) => state[each].gone?.since !== void 0);
  if (side === void 0 || state.ended !== null) return "";
  const { since = 0, nextAt } = state[side].gone ?? { nextAt: 0 };
  return `; the ${state.rules.names[side]} is not found since ${instant(since)}, it is looked for again at ${instant(nextAt)}`;
}
function detailsInWords(state) {
  const last = state.last ? `; last change: ${state.last.what}, at ${instant(state.last.at)}` : "";
  return `${pairInWords(state)}

${statusInWords(state)}${missingInWords(state)}${last}.`;
}
function stepInWords(state, step) {
  const { names } = state.rules;
  switch (step.kind) {
    case "create":
      return `create the ${names.target}`;
    case "write":
      return `write ${step.assignments.map((each) => each.property).join(", ")} to ${names[step.side]}${step.assignments.some((each) => each.why !== "edited") ? " (after a conflict)" : ""}`;
    case "remove":
      return `delete the ${names[step.side]}`;
    case "read":
      return `read ${step.sides.map((side) => names[side]).join(" and ")}`;
    case "confirm":
      return `is the ${names[step.side]} gone?`;
    case "store":
      return `store: ${state.ended ?? state.status}`;
    case "wait":
    case "close":
      return step.kind;
  }
}

// workflows/link.ts
var observed = defineSignal(MESSAGES.observed);
var vanished = defineSignal(MESSAGES.vanished);
var steer = defineSignal(MESSAGES.steer);
var settled = defineUpdate(
  MESSAGES.settled
);
var sync = defineUpdate(MESSAGES.sync);
var byHand = ["pause", "resume", "retry", "sync"].map((kind) => ({ kind, signal: defineSignal(kind) }));
var renew = defineSignal(MESSAGES.renew);
var stateQuery = defineQuery(MESSAGES.state);
var STATUS = defineSearchAttributeKey(SEARCH_ATTRIBUTES.status, SearchAttributeType.KEYWORD);
var TARGET_ID = defineSearchAttributeKey(SEARCH_ATTRIBUTES.targetId, SearchAttributeType.KEYWORD);
var RENEWED_AFTER_EVENTS = 200;
var activities = proxyActivities2({
  startToCloseTimeout: "2 minutes",
  heartbeatTimeout: "10 seconds",
  retry: { initialInterval: "1 second", backoffCoefficient: 2, maximumInterval: "1 minute" }
});
async function link(carried) {
  let state = carried;
  let shown = {
    status: carried.status,
    ended: carried.ended,
    targetId: carried.target.id
  };
  const inbox = [];
  let quiet = false;
  let renewalAsked = false;
  setHandler(observed, (message) => void inbox.push({ kind: "observed", ...message }));
  setHandler(vanished, (message) => void inbox.push({ kind: "vanished", ...message }));
  setHandler(steer, (message) => void inbox.push(message));
  setHandler(stateQuery, () => state);
  setHandler(renew, () => void (renewalAsked = patched2(PATCHES.renewal)));
  setHandler(settled, async () => {
    if (state.ended === "source gone") inbox.push({ kind: "sync" });
    await condition(() => quiet && inbox.length === 0);
    return { status: state.status, ended: state.ended, last: state.last };
  });
  setHandler(sync, async ({ wait, requestId }) => {
    const known = requestId !== void 0 && state.requests?.some(({ id }) => id === requestId);
    if (!known) inbox.push({ kind: "sync", ...requestId === void 0 ? {} : { requestId } });
    if (wait) await condition(() => quiet && inbox.length === 0);
    return { status: state.status, ended: state.ended };
  });
  for (const { kind, signal } of byHand) setHandler(signal, () => void inbox.push({ kind }));
  for (; ; ) {
    for (const message of inbox.splice(0)) state = heard(state, message, Date.now());
    const next = advance(state, Date.now());
    state = next.state;
    show();
    const { continueAsNewSuggested: suggested, historyLength } = workflowInfo();
    if (suggested && allHandlersFinished()) await rollOver();
    const due = (suggested || renewalAsked || historyLength > RENEWED_AFTER_EVENTS) && patched2(PATCHES.renewal);
    if (due && allHandlersFinished()) await rollOver();
    if (next.step.kind === "close") {
      quiet = true;
      await condition(() => allHandlersFinished() || inbox.length > 0);
      quiet = false;
      if (inbox.length === 0) return `ended: ${state.ended}`;
      continue;
    }
    if (next.step.kind === "wait") await rest(next.step.until, due);
    else state = concluded(state, { step: next.step, outcome: await perform(next.step), now: Date.now() });
  }
  function rollOver() {
    return makeContinueAsNewFunc({ memo: memoInWords(state) })(state);
  }
  async function rest(until, due) {
    const wakes = () => inbox.length > 0 || (due || renewalAsked) && allHandlersFinished();
    quiet = true;
    if (until === null) await condition(wakes);
    else await condition(wakes, Math.max(1, until - Date.now()));
    quiet = false;
  }
  function perform(step) {
    const options = { summary: stepInWords(state, step) };
    const record = recordOf(
      state,
      "what" in step ? { status: step.status, last: { what: step.what, at: Date.now() } } : void 0
    );
    const input = { link: record, ...state.world === void 0 ? {} : { world: state.world } };
    switch (step.kind) {
      case "create":
        return activities.createRecord.executeWithOptions(options, [
          {
            ...input,
            values: step.values,
            ...state.chosen === void 0 ? {} : { chosen: state.chosen },
            ...state.recreates === true ? { recreates: true } : {}
          }
        ]);
      case "write":
        return activities.writeRecord.executeWithOptions(options, [{ ...input, side: step.side, assignments: step.assignments }]);
      case "remove":
        return activities.removeRecord.executeWithOptions(options, [{ ...input, side: step.side }]);
      case "read":
        return activities.readRecords.executeWithOptions(options, [{ ...input, sides: step.sides }]);
      case "confirm":
        return activities.readRecords.executeWithOptions(options, [
          {
            ...input,
            sides: [step.side],
            ...step.announced === true ? { announced: true } : {},
            ...step.list === true ? { list: true } : {}
          }
        ]);
      case "store":
        return activities.storeLink.executeWithOptions(options, [{ ...input }]);
    }
  }
  function show() {
    setCurrentDetails2(detailsInWords(state));
    if (shown.status === state.status && shown.ended === state.ended && shown.targetId === state.target.id) return;
    upsertSearchAttributes([
      { key: STATUS, value: state.status },
      { key: TARGET_ID, value: state.target.id }
    ]);
    upsertMemo(memoInWords(state));
    shown = { status: state.status, ended: state.ended, targetId: state.target.id };
  }
}

// workflows/world.ts
import { condition as condition2 } from "@temporalio/workflow";
async function world() {
  await condition2(() => false);
}
export {
  feed,
  link,
  world
};
