import type { Store } from '../../store/store.ts';
import type { StatusReport } from '../model.ts';
import { failed, ok, warning, type DoctorFinding, type Say } from './finding.ts';

/** A feed that was not read for so many pauses, and so long besides (s), is late. */
const LATE_PAUSES = 3;
const LATE_SECONDS = 300;

/** What runs: workers, feeds, and what `status` says stands in the way. `named`: who was found guilty already. */
export async function lookAtInstallation(
  { store, status, named }: { readonly store: Store; readonly status: StatusReport; readonly named: readonly DoctorFinding[] },
  say: Say,
): Promise<void> {
  const workers = (await store.workers.all()).filter(({ installation }) => installation === status.installation);
  say(
    workers.length > 0
      ? ok('workers', `${workers.length} of the installation ${status.installation} run`)
      : failed('workers', `no worker of the installation ${status.installation} runs`, 'start one: `npx tandem worker`'),
  );
  for (const { flow, pairs } of status.flows) {
    const served = workers.some(({ flows }) => flows.includes(flow));
    const links = Object.values(pairs).reduce((sum, each) => sum + each, 0);
    if (workers.length > 0 && !served)
      say(
        failed(
          'flows',
          `no worker that runs has the flow ${flow}: its ${links} links are served by nobody`,
          'start the workers with the same TANDEM_FLOWS',
        ),
      );
  }
  for (const { sentence, why, advice } of status.troubles)
    if (!named.some(({ text }) => text.startsWith(sentence)))
      say(failed('installation', `${sentence}${why === null ? '' : `: ${why}`}`, advice));
  await lookAtFeeds(store, status, say);
  lookAtPeoplesWork(status, say);
}

async function lookAtFeeds(store: Store, status: StatusReport, say: Say): Promise<void> {
  const pauses = new Map((await store.cursors.all()).map(({ _id, pauseSeconds = 0 }) => [_id, pauseSeconds]));
  const late = status.feeds.filter(
    ({ feed, lagSeconds }) => lagSeconds === null || lagSeconds > LATE_PAUSES * (pauses.get(feed) ?? 0) + LATE_SECONDS,
  );
  for (const { feed, lagSeconds, trouble } of late)
    say(
      failed(
        'feeds',
        `the feed ${feed} was ${lagSeconds === null ? 'never read to its end' : `last read to its end ${lagSeconds} s ago`}${trouble === null ? '' : `: ${trouble}`}`,
        'see that a worker runs and the system answers; then look at its workflow in the Temporal UI',
      ),
    );
  for (const { sentence, advice } of status.feeds.flatMap(({ notBelieved }) => notBelieved))
    say(warning('feeds', sentence, advice));
  for (const { feed, setAside } of status.feeds)
    if (setAside.count > 0)
      say(
        warning(
          'records set aside',
          `${setAside.count} records of ${feed} are set aside: they cannot be read, or their links take no message`,
          '`npx tandem status` names them and says why; they are read again at each look',
        ),
      );
  if (late.length === 0) say(ok('feeds', `all ${status.feeds.length} are read in time`));
}

/** What waits for a person. */
function lookAtPeoplesWork({ flows, paused }: StatusReport, say: Say): void {
  const count = (status: 'blocked' | 'conflict'): number => flows.reduce((sum, { pairs }) => sum + (pairs[status] ?? 0), 0);
  if (count('blocked') > 0)
    say(warning('links', `${count('blocked')} pairs are blocked`, '`npx tandem status` says by which reason and what to do'));
  if (count('conflict') > 0)
    say(warning('links', `${count('conflict')} pairs wait for a decision`, '`npx tandem conflicts` lists them'));
  if (paused.length > 0) say(warning('links', `a person paused ${paused.join(', ')}`, '`npx tandem resume NAME` lets it go on'));
  if (count('blocked') + count('conflict') + paused.length === 0) say(ok('links', 'nothing waits for a person'));
}
