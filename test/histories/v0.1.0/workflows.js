// ../../../tmp/y_v010/workflows/feed.ts
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

// ../../../tmp/y_v010/workflows/link.ts
import {
  allHandlersFinished,
  condition,
  continueAsNew as continueAsNew2,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities as proxyActivities2,
  setCurrentDetails as setCurrentDetails2,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo
} from "@temporalio/workflow";
import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";

// ../../../tmp/y_v010/flows/names.ts
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
  state: "state"
};

// ../../../tmp/y_v010/workflows/contract.ts
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
    block: then ? null : state.block,
    conflicts: state.conflicts,
    last: then?.last ?? state.last,
    base: { source: state.source.base, target: state.target.base },
    seen: { source: state.source.seen, target: state.target.seen }
  };
}

// ../../../tmp/y_v010/flows/values.ts
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

// ../../../tmp/y_v010/flows/convert.ts
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

// ../../../tmp/y_v010/flows/valuesMatch.ts
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

// ../../../tmp/y_v010/flows/side.ts
var SIDES = ["source", "target"];
var across = (side) => side === "source" ? "target" : "source";

// ../../../tmp/y_v010/workflows/core/merge.ts
function laterEdit(source, target) {
  if (target[0] > source[1]) return { winner: "target", tie: false };
  return { winner: "source", tie: !(source[0] > target[1]) };
}
function editInstants(side, property) {
  return side.since[property] ?? side.seen?.at ?? [0, 0];
}
function toSourceValue(pair, value) {
  if (pair.type === "first" && Array.isArray(value.source)) {
    const rest = value.source.slice(1);
    return isNoValue(value.target) && rest.length === 0 ? [] : [value.target, ...rest];
  }
  return convert(value.target, pair.back ?? pair.type);
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
        return { value: from === "source" ? convert(value.source, pair.type) : toSourceValue(pair, value) };
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

// ../../../tmp/y_v010/workflows/core/state.ts
var isWaiting = (block) => block?.code === "unmatched" || block?.code === "unconnected";

// ../../../tmp/y_v010/workflows/core/lifecycle.ts
var BLOCK_RETRY_MS = 24 * 3600 * 1e3;
var GONE_APART_MS = 6e3;
var GONE_READS = 2;
function withStatus(state, now, status, ended = null) {
  if (state.status === status && state.ended === ended) return state;
  return { ...state, status, ended, statusAt: now, stored: false };
}
function rebase(state, side, property, value) {
  const now = state[side];
  const { [property]: _, ...since } = now.since;
  const stands = sameValue(now.seen?.values[property], value);
  return { ...state, [side]: { ...now, base: { ...now.base, [property]: value }, since: stands ? since : now.since } };
}
function settle(state) {
  let next = state;
  for (const pair of merge(state).agreed) {
    for (const side of SIDES) next = rebase(next, side, pair[side], next[side].seen?.values[pair[side]] ?? null);
    next = { ...next, stored: false };
  }
  for (const pair of next.rules.pairs) {
    let verdict = next.verdicts[pair.source];
    if (!verdict) continue;
    for (const side of SIDES) {
      const value = next[side].seen?.values[pair[side]] ?? null;
      if (verdict.done.includes(side) || !sameValue(verdict[side], value)) continue;
      verdict = { ...verdict, done: [...verdict.done, side] };
      next = { ...rebase(next, side, pair[side], value), stored: false };
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
function idle(state, until) {
  if (state.stored) return { state, step: { kind: "wait", until } };
  const revision = state.revision + 1;
  return { state: { ...state, revision }, step: { kind: "store", revision } };
}
function blockOn(state, side, property, now) {
  const block = { code: "type", side, properties: [property], at: now };
  return idle(withStatus({ ...state, block, stored: false }, now, "blocked"), now + BLOCK_RETRY_MS);
}
function advance(before, now) {
  let state = before;
  if (state.ended === "source gone") return state.stored ? { state, step: { kind: "close" } } : idle(state, null);
  if (state.paused) return idle(withStatus(state, now, "paused", state.ended), null);
  if (state.ended === "unlinked by hand") return idle(withStatus(state, now, "ended", state.ended), null);
  if (state.block?.code === "held" && now < state.block.at + BLOCK_RETRY_MS)
    return idle(withStatus(state, now, "blocked"), state.block.at + BLOCK_RETRY_MS);
  for (const side of SIDES) {
    const gone = state[side].gone;
    if (!gone) continue;
    if (gone.reads >= GONE_READS) {
      if (side === "source" && state.rules.onSourceDeleted === "delete" && state.target.id !== null && state.ended !== "target gone")
        return {
          state: { ...state, revision: state.revision + 1 },
          step: { kind: "remove", revision: state.revision + 1, side: "target" }
        };
      if (side === "target" && state.rules.onTargetDeleted === "delete" && state.ended !== "target gone")
        return {
          state: { ...state, revision: state.revision + 1 },
          step: { kind: "remove", revision: state.revision + 1, side: "source" }
        };
      if (side === "target" && state.rules.onTargetDeleted === "recreate") {
        state = resetTarget(state, now);
        continue;
      }
      const what = side === "source" ? "the source record was deleted" : "the target record was deleted";
      const last = state.ended === null ? { what, at: now } : state.last;
      const ended = withStatus({ ...state, block: null, last }, now, "ended", side === "source" ? "source gone" : "target gone");
      if (side === "source") return ended.stored ? { state: ended, step: { kind: "close" } } : idle(ended, null);
      return idle(ended, null);
    }
    return gone.nextAt <= now ? { state, step: { kind: "confirm", side } } : idle(state, gone.nextAt);
  }
  if (state.ended === "target gone") state = withStatus(state, now, "in-step");
  const { source, target } = state;
  const doubted = SIDES.filter((side) => state[side].id !== null && (state[side].doubt || side === "source" && !source.seen));
  if (doubted.length > 0) return { state, step: { kind: "read", sides: doubted } };
  if (source.seen?.inScope === false || target.seen?.inScope === false) {
    const last = state.ended === "out of scope" ? state.last : { what: "a record left the scope of the flow", at: now };
    return idle(withStatus({ ...state, block: null, last }, now, "ended", "out of scope"), null);
  }
  if (state.ended === "out of scope")
    state = withStatus(
      { ...state, last: { what: "the record came back into scope", at: now } },
      now,
      target.id === null ? "linking" : "in-step"
    );
  if (state.block) {
    if (now < state.block.at + BLOCK_RETRY_MS)
      return idle(withStatus(state, now, isWaiting(state.block) ? "linking" : "blocked"), state.block.at + BLOCK_RETRY_MS);
    state = { ...state, block: null, stored: false };
  }
  if (target.id === null) {
    const { values, unconvertible: unconvertible2 } = creationValues(state);
    if (unconvertible2 !== null) return blockOn(state, "source", unconvertible2, now);
    const revision = state.revision + 1;
    return {
      state: { ...state, revision },
      step: { kind: "create", revision, values, status: "in-step", what: `the ${state.rules.names.target} was created` }
    };
  }
  if (!target.seen) return { state, step: { kind: "read", sides: ["target"] } };
  state = settle(state);
  const { writes, asks, unconvertible } = merge(state);
  const status = asks.length > 0 ? "conflict" : "in-step";
  if (asks.join() !== state.conflicts.join()) state = { ...state, conflicts: asks, stored: false };
  for (const side of ["target", "source"]) {
    if (writes[side].length === 0) continue;
    const revision = state.revision + 1;
    const properties = writes[side].map((each) => each.property).join(", ");
    const what = `${properties}, from ${state.rules.names[across(side)]} to ${state.rules.names[side]}`;
    return { state: { ...state, revision }, step: { kind: "write", revision, side, assignments: writes[side], status, what } };
  }
  if (unconvertible) return blockOn(state, unconvertible.side, unconvertible.property, now);
  return idle(withStatus(state, now, status), null);
}
function resetTarget(state, now) {
  const target = { id: null, seen: null, base: {}, since: {}, doubt: false, gone: null };
  const source = { ...state.source, base: {}, gone: null };
  return withStatus(
    { ...state, source, target, incarnation: state.incarnation + 1, block: null, verdicts: {}, conflicts: [], stored: false },
    now,
    "linking"
  );
}

// ../../../tmp/y_v010/flows/initialBase.ts
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

// ../../../tmp/y_v010/workflows/core/observe.ts
function sinceOf(side, seen) {
  const since = {};
  for (const [property, value] of Object.entries(seen.values)) {
    if (property in side.base && sameValue(value, side.base[property])) continue;
    const before = side.seen && sameValue(side.seen.values[property], value) ? side.since[property] : void 0;
    since[property] = before ?? seen.at;
  }
  return since;
}
function adopt(side, seen, alive) {
  return { ...side, seen, since: sinceOf(side, seen), doubt: false, gone: alive ? null : side.gone };
}
function observe(state, side, seen, direct = false) {
  const now = state[side];
  const before = now.seen;
  if (before && seen.version < before.version) return direct ? { ...state, [side]: { ...now, doubt: false, gone: null } } : state;
  const same = before !== null && sameValues(before.values, seen.values) && before.inScope === seen.inScope;
  if (before && seen.version === before.version && !same && !direct) return { ...state, [side]: { ...now, doubt: true } };
  const next = { ...state, [side]: adopt(now, seen, direct || !before || seen.version > before.version) };
  return same ? next : { ...next, block: null };
}
function suspectGone(state, side, now) {
  return state[side].gone ? state : { ...state, [side]: { ...state[side], gone: { reads: 0, nextAt: now } } };
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

// ../../../tmp/y_v010/workflows/core/outcome.ts
function applyFound(state, found, now) {
  let next = state;
  for (const side of SIDES) {
    const what = found[side];
    if (what === void 0) continue;
    if (what !== "gone") {
      next = observe(next, side, what, true);
      continue;
    }
    next = suspectGone(next, side, now);
    const reads = (next[side].gone?.reads ?? 0) + 1;
    next = { ...next, [side]: { ...next[side], doubt: false, gone: { reads, nextAt: now + GONE_APART_MS } } };
  }
  return next;
}
function applyOutcome(state, step, outcome, now) {
  let next = applyResult(state, step, outcome, now);
  for (const side of SIDES) {
    const seen = outcome.news?.[side];
    if (seen && next[side].id !== null) next = observe(next, side, seen);
  }
  return next;
}
function applyResult(before, step, outcome, now) {
  const { chosen, ...rest } = before;
  const state = chosen !== void 0 && step.kind === "create" && outcome.kind !== "contended" ? rest : before;
  switch (outcome.kind) {
    case "created": {
      if (step.kind !== "create") return state;
      let next = { ...state, target: { ...state.target, id: outcome.id }, block: null };
      next = observe(next, "target", outcome.seen);
      const how = outcome.matched ? "matched" : outcome.adopted ? "adopted" : outcome.found ? "found" : "made";
      const values = {
        source: next.source.seen?.values ?? {},
        target: outcome.matched ? next.target.seen?.values ?? {} : outcome.base ?? outcome.seen.values
      };
      const base = initialBase(state.rules.pairs, values, how);
      for (const side of SIDES)
        for (const [property, value] of Object.entries(base[side])) next = rebase(next, side, property, value);
      const what = outcome.matched ? `linked with the ${state.rules.names.target} that matches` : step.what;
      return { ...withStatus(next, now, outcome.matched ? state.status : step.status), stored: true, last: { what, at: now } };
    }
    case "written": {
      if (step.kind !== "write") return state;
      let next = observe({ ...state, block: null }, step.side, outcome.seen);
      for (const assignment of step.assignments) {
        next = rebase(next, step.side, assignment.property, (outcome.base ?? outcome.seen.values)[assignment.property] ?? null);
        if (assignment.from) next = rebase(next, across(step.side), assignment.from.property, assignment.from.value);
        else next = markVerdictDone(next, step.side, assignment.property);
      }
      return { ...withStatus(next, now, step.status), stored: true, last: { what: step.what, at: now } };
    }
    case "contended":
    case "read":
      return applyFound({ ...state, revision: Math.max(state.revision, outcome.revision ?? 0) }, outcome.found, now);
    case "removed":
      if (step.kind !== "remove") return state;
      return {
        ...withStatus(state, now, "ended", "source gone"),
        last: {
          what: `the ${state.rules.names[across(step.side)]} was deleted, and the ${state.rules.names[step.side]} with it`,
          at: now
        }
      };
    case "stored":
      return { ...state, stored: true };
    case "refused":
      return {
        ...withStatus(state, now, isWaiting(outcome) ? "linking" : "blocked"),
        stored: true,
        block: { code: outcome.code, side: outcome.side, properties: outcome.properties, at: now }
      };
  }
}
function markVerdictDone(state, side, property) {
  const pair = state.rules.pairs.find((each) => each[side] === property);
  const verdict = pair && state.verdicts[pair.source];
  if (!pair || !verdict) return state;
  return { ...state, verdicts: { ...state.verdicts, [pair.source]: { ...verdict, done: [...verdict.done, side] } } };
}

// ../../../tmp/y_v010/workflows/core/receive.ts
function receive(state, message, now) {
  switch (message.kind) {
    case "observed": {
      const next = message.rules ? changeRules(state, message.rules) : state;
      return next[message.side].id === message.id ? observe(next, message.side, message.seen) : next;
    }
    case "vanished":
      return state[message.side].id === null ? state : suspectGone(state, message.side, now);
    case "sync":
      return doubtBothSides(state);
    case "retry":
      return state.block ? { ...state, block: null } : state;
    case "pause":
      return { ...state, paused: true };
    case "resume":
      return state.paused ? doubtBothSides({ ...state, paused: false }) : state;
    case "unlink":
      return { ...withStatus(state, now, "ended", "unlinked by hand"), last: { what: "unlinked by hand", at: now } };
    case "relink":
      if (state.ended === "unlinked by hand" && state.target.id !== null)
        return doubtBothSides(withStatus(state, now, "linking"));
      return state.ended === "target gone" ? doubtBothSides(resetTarget(state, now)) : state;
    case "link":
      return state.target.id === null && state.ended === null ? { ...state, chosen: message.id, block: null } : state;
    case "settle": {
      const verdict = { source: message.source, target: message.target, why: message.why, done: [] };
      return { ...state, verdicts: { ...state.verdicts, [message.property]: verdict } };
    }
  }
}

// ../../../tmp/y_v010/workflows/words.ts
var instant = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
function pairInWords(state) {
  return SIDES.map((side) => `${state.rules.names[side]} ${state[side].id ?? "(none yet)"}`).join(" <-> ");
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
        return `held back since ${since}: very many records of ${state.flow} would be ended, deleted or blanked within an hour. If that is right: \`tandem approve ${state.flow}\``;
      if (state.block?.code === "unplanned")
        return `held back since ${since}: not in the plan that the worker applies; a start without --apply-plan lets it go on`;
      return state.block ? `blocked since ${since}: ${state.rules.names[state.block.side]} refused (${state.block.code})${state.block.properties.length > 0 ? `, ${state.block.properties.join(", ")}` : ""}; its own text: \`tandem show\`. Tried again on the next edit, on request and once a day` : `blocked since ${since}`;
    case "paused":
      return `paused since ${since}; edits made meanwhile arrive after \`tandem resume\``;
    case "ended":
      return `ended since ${since}: ${state.ended}`;
  }
}
function detailsInWords(state) {
  const last = state.last ? `; last change: ${state.last.what}, at ${instant(state.last.at)}` : "";
  return `${pairInWords(state)}

${statusInWords(state)}${last}.`;
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

// ../../../tmp/y_v010/workflows/link.ts
var observed = defineSignal(MESSAGES.observed);
var vanished = defineSignal(MESSAGES.vanished);
var steer = defineSignal(MESSAGES.steer);
var settled = defineUpdate(
  MESSAGES.settled
);
var stateQuery = defineQuery(MESSAGES.state);
var STATUS = defineSearchAttributeKey(SEARCH_ATTRIBUTES.status, SearchAttributeType.KEYWORD);
var TARGET_ID = defineSearchAttributeKey(SEARCH_ATTRIBUTES.targetId, SearchAttributeType.KEYWORD);
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
  setHandler(observed, (told) => void inbox.push({ kind: "observed", ...told }));
  setHandler(vanished, (told) => void inbox.push({ kind: "vanished", ...told }));
  setHandler(steer, (told) => void inbox.push(told));
  setHandler(stateQuery, () => state);
  setHandler(settled, async () => {
    await condition(() => quiet && inbox.length === 0);
    return { status: state.status, ended: state.ended, last: state.last };
  });
  for (; ; ) {
    for (const message of inbox.splice(0)) state = receive(state, message, Date.now());
    const next = advance(state, Date.now());
    state = next.state;
    show();
    if (workflowInfo().continueAsNewSuggested && allHandlersFinished()) await continueAsNew2(state);
    if (next.step.kind === "close") return `ended: ${state.ended}`;
    if (next.step.kind === "wait") await rest(next.step.until);
    else state = applyOutcome(state, next.step, await perform(next.step), Date.now());
  }
  async function rest(until) {
    quiet = true;
    if (until === null) await condition(() => inbox.length > 0);
    else await condition(() => inbox.length > 0, Math.max(1, until - Date.now()));
    quiet = false;
  }
  function perform(step) {
    const options = { summary: stepInWords(state, step) };
    const record = recordOf(
      state,
      "what" in step ? { status: step.status, last: { what: step.what, at: Date.now() } } : void 0
    );
    switch (step.kind) {
      case "create":
        return activities.createRecord.executeWithOptions(options, [
          { link: record, values: step.values, ...state.chosen === void 0 ? {} : { chosen: state.chosen } }
        ]);
      case "write":
        return activities.writeRecord.executeWithOptions(options, [
          { link: record, side: step.side, assignments: step.assignments }
        ]);
      case "remove":
        return activities.removeRecord.executeWithOptions(options, [{ link: record, side: step.side }]);
      case "read":
        return activities.readRecords.executeWithOptions(options, [{ link: record, sides: step.sides }]);
      case "confirm":
        return activities.readRecords.executeWithOptions(options, [{ link: record, sides: [step.side] }]);
      case "store":
        return activities.storeLink.executeWithOptions(options, [{ link: record }]);
    }
  }
  function show() {
    setCurrentDetails2(detailsInWords(state));
    if (shown.status === state.status && shown.ended === state.ended && shown.targetId === state.target.id) return;
    upsertSearchAttributes([
      { key: STATUS, value: state.status },
      { key: TARGET_ID, value: state.target.id }
    ]);
    upsertMemo({ pair: pairInWords(state), status: state.ended ? `${state.status}: ${state.ended}` : state.status });
    shown = { status: state.status, ended: state.ended, targetId: state.target.id };
  }
}
export {
  feed,
  link
};
