import type { Value } from '../../flows/values.ts';

type Side = 'source' | 'target';

/** A record: of which site's which flow, by number. */
interface Of {
  readonly site: number;
  readonly flow: number;
  readonly n: number;
}

/** What happens, without its instant. */
export type Deed =
  | ({ readonly do: 'create'; readonly value: string } & Of)
  | ({ readonly do: 'edit'; readonly side: Side; readonly pair: number; readonly value: Value } & Of)
  | ({ readonly do: 'back'; readonly side: Side; readonly pair: number } & Of)
  | ({ readonly do: 'both'; readonly pair: number; readonly value: string } & Of)
  | ({ readonly do: 'touch' | 'delete' | 'undelete'; readonly side: Side } & Of)
  | ({ readonly do: 'scope' | 'vip'; readonly on: boolean } & Of)
  | ({ readonly do: 'twin'; readonly value: string } & Of)
  | ({ readonly do: 'merge' | 'unlink' | 'relink' | 'retry' | 'sync' | 'link' | 'terminate' } & Of)
  | ({ readonly do: 'resolve'; readonly pair: number; readonly side: Side } & Of)
  | ({ readonly do: 'restore'; readonly which: number } & Of)
  | ({ readonly do: 'pause' | 'resume'; readonly what: 'link' | 'flow' | 'system' } & Of)
  | { readonly do: 'approve' | 'withdraw' | 'sweep'; readonly site: number }
  | { readonly do: 'bulk'; readonly what: 'delete' | 'recreate' | 'blank' | 'same'; readonly value: string }
  | { readonly do: 'crash'; readonly site: number; readonly all: boolean }
  | { readonly do: 'freeze'; readonly site: number; readonly ms: number }
  | { readonly do: 'clock'; readonly side: Side; readonly ms: number }
  | { readonly do: 'blip' | 'outage'; readonly side: Side; readonly ms: number }
  | { readonly do: 'rules'; readonly site: number; readonly rolling: boolean };

/** One thing that happens in a schedule, at `at` ms after its start. */
export type Act = Deed & { readonly at: number };

const record = ({ site, flow, n }: Of): string => `${site > 0 ? `site ${site}, ` : ''}flow ${flow}, record ${n}`;

/** An act in words. */
export function actInWords(act: Act): string {
  switch (act.do) {
    case 'create':
      return `somebody creates the source of ${record(act)} (${JSON.stringify(act.value)})`;
    case 'edit':
      return `somebody sets pair ${act.pair} on the ${act.side} of ${record(act)} to ${JSON.stringify(act.value)}`;
    case 'back':
      return `somebody sets pair ${act.pair} on the ${act.side} of ${record(act)} back to what it was before`;
    case 'both':
      return `somebody sets pair ${act.pair} on both sides of ${record(act)} to ${JSON.stringify(act.value)}`;
    case 'touch':
      return `somebody edits an unmapped property on the ${act.side} of ${record(act)}`;
    case 'delete':
      return `somebody deletes the ${act.side} of ${record(act)}`;
    case 'undelete':
      return `somebody takes the ${act.side} of ${record(act)} out of the bin`;
    case 'scope':
      return `the source of ${record(act)} ${act.on ? 'comes into' : 'leaves'} scope`;
    case 'vip':
      return `the third pair of ${record(act)} ${act.on ? 'holds from now on' : 'holds no more'}`;
    case 'twin':
      return `somebody creates a target that matches ${record(act)} (${JSON.stringify(act.value)})`;
    case 'merge':
      return `somebody merges the target of ${record(act)} into another record`;
    case 'link':
      return `somebody links ${record(act)} by hand`;
    case 'terminate':
      return `the workflow of ${record(act)} is ended by hand`;
    case 'unlink':
    case 'relink':
    case 'retry':
    case 'sync':
      return `somebody asks for ${act.do} of ${record(act)}`;
    case 'resolve':
      return `somebody decides pair ${act.pair} of ${record(act)} for the ${act.side}`;
    case 'restore':
      return `somebody restores change ${act.which} of ${record(act)}`;
    case 'pause':
    case 'resume':
      return `somebody asks for ${act.do} of the ${act.what} of ${record(act)}`;
    case 'approve':
    case 'withdraw':
      return `somebody says ${act.do} at site ${act.site}`;
    case 'sweep':
      return `a full comparison and a look for deletions are asked for at site ${act.site}`;
    case 'bulk':
      return `somebody changes nearly all records at once: ${act.what} (${JSON.stringify(act.value)})`;
    case 'crash':
      return `${act.all ? 'every worker' : 'a worker'} of site ${act.site} is killed`;
    case 'freeze':
      return `a worker of site ${act.site} freezes for ${act.ms} ms, is taken for dead, and wakes up`;
    case 'clock':
      return `the clock of the ${act.side} is set ${act.ms} ms`;
    case 'blip':
      return `the ${act.side} answers 404 to everything that is read for ${act.ms} ms`;
    case 'outage':
      return `the ${act.side} answers 404 to everything, and lists nothing, for ${act.ms} ms`;
    case 'rules':
      return `site ${act.site} goes on with the new flows, ${act.rolling ? 'worker by worker' : 'all workers at once'}`;
  }
}
