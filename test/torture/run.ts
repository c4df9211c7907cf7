import { SIDES } from '../../flows/side.ts';
import { isBelievedGone } from '../../workflows/core/absence.ts';
import { ModelSystem } from './modelSystem.ts';
import type { Break, Breaks } from './breaks.ts';
import { People } from './people.ts';
import { throughProcess } from './process.ts';
import { brokenPromises } from './promises.ts';
import { ACTIVE_MS, type Schedule } from './schedule.ts';
import { Random, Sim } from './sim.ts';
import { Site, type World } from './site.ts';
import { ModelTemporal, type LinkRun } from './temporal.ts';

const START = Date.UTC(2026, 0, 1);
const SETTLE_MS = 150_000;
const QUIET_MS = 40_000;
const POLL_SECONDS = 4;
/** Share of tasks that another installation's worker gets hold of. */
const ASTRAY = 0.1;

/** Runs one schedule to its end and tells which promises it broke. */
export async function runSchedule(schedule: Schedule, broken: readonly Break[] = []): Promise<string[]> {
  const breaks: Breaks = new Set(broken);
  const sim = new Sim(START);
  const random = new Random(schedule.seed ^ 0x5bd1e995);
  const system = (name: 'powerOffice' | 'crm'): ModelSystem =>
    new ModelSystem({ name, nature: name === 'crm' ? schedule.target : schedule.source, sim, random, breaks });
  const systems = new Set<ModelSystem>();
  let faults = schedule.faults;
  let crashes = schedule.crashes;
  const sites: Site[] = [];
  const temporal = new ModelTemporal({
    sim,
    random,
    breaks,
    rollOvers: schedule.rollOvers,
    faults: () => faults,
    workerFor(world) {
      const own = sites.find(({ name }) => name === world) as Site;
      const others = sites.filter((site) => site !== own);
      return (others.length > 0 && crashes + faults > 0 && random.chance(ASTRAY) ? random.pick(others) : own).worker();
    },
  });
  const world: World = {
    sim,
    random,
    breaks,
    temporal,
    through: throughProcess({ sim, random, crashes: () => crashes, faults: () => faults }),
    pollSeconds: POLL_SECONDS,
  };
  for (let number = 0; number < schedule.sites; number++) {
    const [first] = sites;
    const target = first && schedule.sharedCrm ? first.target : system('crm');
    const site = new Site({ world, number, source: system('powerOffice'), target, plans: schedule.flows, skews: schedule.skews });
    sites.push(site);
    for (const each of [site.source, site.target]) systems.add(each);
  }
  const people = new People(schedule, sites);
  const willBlip = schedule.acts.some((act) => act.do === 'blip' || act.do === 'outage');
  for (const each of systems) Object.assign(each, { faults, willBlip });
  for (const site of sites) site.start();
  for (const what of schedule.acts) sim.at(START + what.at, () => people.act(what));
  await sim.run(START + ACTIVE_MS + 5000);
  for (const each of systems) Object.assign(each, { faults: 0, lying: false });
  faults = 0;
  crashes = 0;

  // An outage ends at last.
  const until = Math.max(...[...systems].map(({ blipUntil }) => blipUntil));
  world.pollSeconds = 30;
  if (until > sim.now()) await sim.run(until + 1000);
  world.pollSeconds = POLL_SECONDS;
  // Deletions are found by the list of ids, which in life is looked at every hour.
  const lookForDeletions = async (): Promise<void> => {
    for (const site of sites) site.askForSweep();
    await sim.run(sim.now() + SETTLE_MS / 2);
  };
  for (let look = 0; look < 2; look++) await lookForDeletions();
  // A deletion that no list announced takes ten minutes and a list.
  const isUnsure = ({ open, state }: LinkRun): boolean =>
    open && SIDES.some((side) => state[side].gone && !isBelievedGone(state[side].gone));
  const unsure = (): boolean => [...temporal.links.values()].some(isUnsure);
  const count = (): { writes: number; signals: number; steps: number } => ({
    writes: [...systems].reduce((sum, each) => sum + each.writes, 0),
    signals: temporal.signals,
    // One that is missed while its flow's lists are not believed is read on, hourly at last.
    steps: [...temporal.links.values()].reduce((sum, link) => sum + (isUnsure(link) ? 0 : link.steps), 0),
  });
  const askWhileUnsure = async (): Promise<void> => {
    world.pollSeconds = 30;
    for (let i = 0; i < 12 && unsure(); i++) await sim.run(sim.now() + 2 * QUIET_MS);
    world.pollSeconds = POLL_SECONDS;
  };
  const broke = async (): Promise<string[]> => {
    // A record whose partner was asked for all that time is blocked then; what the flow does about it comes with the next list,
    // and may take as long again.
    for (let patience = 2; unsure() && patience > 0; patience--) {
      await askWhileUnsure();
      await lookForDeletions();
    }
    await askWhileUnsure();
    const before = count();
    await sim.run(sim.now() + QUIET_MS);
    const after = count();
    const restless = {
      writes: after.writes - before.writes,
      signals: after.signals - before.signals,
      steps: after.steps - before.steps,
    };
    return sites.flatMap((site) => brokenPromises({ schedule, site, sites, people, restless }));
  };
  const first = await broke();
  // What is paused to the end goes on at last: all that came meanwhile arrives, without anybody asking for a comparison.
  const held = sites.filter((site) => site.letGo());
  if (first.length > 0 || held.length === 0) return first;
  await sim.run(sim.now() + SETTLE_MS);
  return (await broke()).map((each) => `${each}, after nothing was paused any more`);
}
