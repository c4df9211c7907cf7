import { linkKey } from '../../flows/names.ts';
import type { Side } from '../../flows/side.ts';
import type { Value } from '../../flows/values.ts';
import type { Act } from './acts.ts';
import { PAIRS, type FlowPlan } from './flowPlan.ts';
import type { ModelSystem } from './modelSystem.ts';
import type { Schedule } from './schedule.ts';
import type { Site } from './site.ts';

type RecordAct = Extract<Act, { n: number }>;

/** People at the screens of both systems, and those who steer. */
export class People {
  /** Ids of source records by site and type, in the order of their numbers. */
  readonly ids = new Map<string, (string | undefined)[]>();
  /** Targets that people made to match a record. */
  readonly twins: {
    readonly site: Site;
    readonly flow: string;
    readonly sourceId: string;
    readonly id: string;
    readonly at: number;
  }[] = [];
  readonly #schedule: Schedule;
  readonly #sites: readonly Site[];
  readonly #open = new Map<string, string>();

  constructor(schedule: Schedule, sites: readonly Site[]) {
    this.#schedule = schedule;
    this.#sites = sites;
  }

  #system(site: Site, side: Side): ModelSystem {
    return side === 'source' ? site.source : site.target;
  }

  #idsOf(site: number, type: string): (string | undefined)[] {
    const key = `${site} ${type}`;
    const found = this.ids.get(key) ?? [];
    this.ids.set(key, found);
    return found;
  }

  /** Does what the schedule says. */
  act(what: Act): void {
    switch (what.do) {
      case 'clock':
      case 'blip':
      case 'outage':
        return this.#befall(what);
      case 'crash':
      case 'freeze':
      case 'sweep':
      case 'rules':
      case 'approve':
      case 'withdraw':
        return this.#operate(what);
      case 'bulk':
        return this.#bulk(what);
      default: {
        const site = this.#sites[what.site];
        const plan = this.#schedule.flows[what.flow];
        if (site && plan) this.#atRecord(site, plan, what);
      }
    }
  }

  #befall(what: Extract<Act, { do: 'clock' | 'blip' | 'outage' }>): void {
    const systems = new Set(this.#sites.map((site) => this.#system(site, what.side)));
    for (const system of systems) {
      const now = system.sim.now();
      if (what.do === 'clock') system.clockJumps(what.ms);
      else system.blipUntil = now + what.ms;
      if (what.do === 'outage') system.emptyFrom = now + 30_000;
    }
  }

  #operate(what: Extract<Act, { do: 'crash' | 'freeze' | 'sweep' | 'rules' | 'approve' | 'withdraw' }>): void {
    const site = this.#sites[what.site];
    if (!site) return;
    if (what.do === 'crash') return site.crash(what.all);
    if (what.do === 'freeze') return site.freeze(what.ms);
    if (what.do === 'sweep') return site.askForSweep();
    if (what.do === 'rules') return site.change(this.#schedule.later ?? this.#schedule.flows, what.rolling);
    void site.decideHeld('f', what.do === 'approve');
  }

  #bulk({ what, value }: Extract<Act, { do: 'bulk' }>): void {
    const [site] = this.#sites;
    if (!site) return;
    for (const [n, id] of this.#idsOf(0, 'Person').entries()) {
      // Nearly all: a list that is empty is no list.
      if (id === undefined || n === 0) continue;
      const target = site.targetOf('f', id);
      if (what === 'delete') site.source.personDeletes(id);
      else if (target === undefined) continue;
      else if (what === 'recreate') site.target.personDeletes(target);
      else if (what === 'same') site.source.personEdits(id, 'FirstName', value);
      else {
        site.source.personEdits(id, 'LastName', '');
      }
    }
  }

  #atRecord(site: Site, plan: FlowPlan, what: RecordAct): void {
    const ids = this.#idsOf(what.site, plan.source);
    if (what.do === 'create') {
      if (ids[what.n] !== undefined) return;
      const refers = plan.source === 'Order' ? (this.#idsOf(what.site, 'Person')[what.n] ?? null) : null;
      const fields = { FirstName: what.value, LastName: `Lie${what.n}`, Role: null, Kind: null, note: null };
      const more = { IsPerson: true, Code: `code${what.n}`, PersonId: refers };
      ids[what.n] = site.source.personCreates(plan.source, { ...fields, ...more });
      return;
    }
    const id = ids[what.n];
    if (id === undefined) return;
    const record = (side: Side): string | undefined => (side === 'source' ? id : site.targetOf(plan.name, id));
    const edit = (side: Side, pair: number, value: Value): void => this.#edit(site, { side, id: record(side), pair, value });
    const { name: flow } = plan;
    switch (what.do) {
      case 'edit':
        return edit(what.side, what.pair, what.value);
      case 'both':
        edit('source', what.pair, what.value);
        return edit('target', what.pair, what.value);
      case 'back':
        return this.#back(this.#system(site, what.side), record(what.side), PAIRS[what.pair]?.[what.side] ?? '');
      case 'touch': {
        const touched = record(what.side);
        if (touched !== undefined) this.#system(site, what.side).personEdits(touched, 'note', `note ${what.at}`);
        return;
      }
      case 'delete':
      case 'undelete':
        return this.#remove(site, what.do, { side: what.side, id: record(what.side), key: `${flow} ${id}` });
      case 'scope':
        return void site.source.personEdits(id, 'IsPerson', what.on);
      case 'vip':
        return void site.source.personEdits(id, 'Kind', what.on ? 'vip' : 'none');
      case 'twin': {
        const fields = { givenName: what.value, familyName: `Twin${what.at}`, role: null, code: `code${what.n}`, note: null };
        const twin = site.target.personCreates(plan.target, fields);
        this.twins.push({ site, flow, sourceId: id, id: twin, at: site.world.sim.now() });
        return;
      }
      case 'merge': {
        const merged = record('target');
        if (merged === undefined) return;
        const fields = { givenName: `Survivor${what.at}`, familyName: `Survivor ${what.at}`, role: null, code: null, note: null };
        return site.target.personMerges(merged, site.target.personCreates(plan.target, fields));
      }
      default:
        return this.#steer(site, { flow, id, what });
    }
  }

  #steer(site: Site, { flow, id, what }: { flow: string; id: string; what: RecordAct }): void {
    switch (what.do) {
      case 'pause':
      case 'resume':
        if (what.what === 'link') return site.steer(flow, id, { kind: what.do });
        return site.pauseAll(what.what === 'flow' ? flow : 'crm', what.do === 'pause');
      case 'unlink':
      case 'relink':
      case 'retry':
      case 'sync':
        return site.steer(flow, id, { kind: what.do });
      case 'link': {
        const twin = this.twins.findLast((each) => each.site === site && each.sourceId === id);
        const free = twin !== undefined && !site.store.links.targets.has(twin.id) && site.targetOf(flow, id) === undefined;
        if (free) site.steer(flow, id, { kind: 'link', id: twin.id });
        return;
      }
      case 'resolve': {
        const seen = site.store.links.rows.get(linkKey(flow, id))?.seen[what.side];
        const value = seen?.values[PAIRS[what.pair]?.[what.side] ?? ''];
        if (value === undefined) return;
        return site.settle({ flow, sourceId: id, pair: what.pair, value, of: what.side, why: 'decided by hand' });
      }
      case 'restore': {
        const changes = [...site.store.history.rows.values()].filter((each) => each.link === linkKey(flow, id));
        const change = changes[what.which % Math.max(1, changes.length)];
        const pair = PAIRS.findIndex((each) => each[change?.side ?? 'source'] === change?.property);
        if (!change || pair < 0) return;
        return site.settle({ flow, sourceId: id, pair, value: change.before, of: change.side, why: `restored ${change._id}` });
      }
      case 'terminate': {
        const link = site.linkOf(flow, id);
        // What was said to it a moment ago, and is in no store yet, would have to be said again.
        const unsaid = site.store.links.rows.get(linkKey(flow, id))?.status === 'paused' && link?.state.paused === false;
        if (!link || unsaid) return;
        link.open = false;
        link.wake();
        // Somebody notices, and makes the workflows anew from the store.
        site.world.sim.at(site.world.sim.now() + 12_000, () => site.rebuild());
        return;
      }
      default:
    }
  }

  #edit(site: Site, { side, id, pair, value }: { side: Side; id: string | undefined; pair: number; value: Value }): void {
    const property = PAIRS[pair]?.[side];
    // PowerOffice takes no record without a name.
    if (id === undefined || property === undefined || (side === 'source' && value === null)) return;
    this.#system(site, side).personEdits(id, property, value);
  }

  /** A real edit back to the value before. */
  #back(system: ModelSystem, id: string | undefined, property: string): void {
    if (id === undefined) return;
    const now = system.rows.get(id)?.fields[property];
    const before = system.deeds.findLast(
      (deed) => deed.id === id && deed.kind === 'edit' && deed.property === property && deed.after !== now && deed.after !== null,
    );
    if (before) system.personEdits(id, property, before.after);
  }

  #remove(site: Site, what: 'delete' | 'undelete', { side, id, key }: { side: Side; id: string | undefined; key: string }): void {
    const system = this.#system(site, side);
    if (what === 'delete') {
      if (id !== undefined) this.#open.set(`${side} ${key}`, id);
      return id === undefined ? undefined : system.personDeletes(id);
    }
    const deleted = this.#open.get(`${side} ${key}`);
    if (deleted !== undefined) system.personUndeletes(deleted);
  }
}
