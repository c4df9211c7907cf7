import type { WorkflowHandle } from '@temporalio/client';
import type { Side } from '../../flows/side.ts';
import type { Values } from '../../flows/values.ts';
import type { Message } from '../../workflows/core/receive.ts';
import type { LinkState, Observation, Rules } from '../../workflows/core/state.ts';
import { observed, settled, stateQuery, steer, vanished, type link } from '../../workflows/link.ts';
import { eventually } from '../support/world.ts';
import type { Stand } from '../workflows/stand.ts';

/** A link that a path is walked with: on a real server, its systems in memory. */
export class Walker {
  readonly handle: WorkflowHandle<typeof link>;
  readonly stand: Stand;
  readonly id: string;

  constructor(walker: { handle: WorkflowHandle<typeof link>; stand: Stand; id: string }) {
    this.handle = walker.handle;
    this.stand = walker.stand;
    this.id = walker.id;
  }

  /** A person edits a side, and its feed tells. */
  async edit(side: Side, values: Values, more: Partial<Observation> & { rules?: Rules } = {}): Promise<void> {
    const { rules, ...rest } = more;
    this.stand.version += 10;
    Object.assign(this.stand.values[side], values);
    const id = side === 'source' ? this.id : ((await this.state()).target.id ?? '');
    await this.handle.signal(observed, { side, id, seen: this.stand.shown(side, rest), ...(rules ? { rules } : {}) });
  }
  /** A person edits a side of which no feed tells yet. */
  editUnseen(side: Side, values: Values): void {
    this.stand.version += 10;
    Object.assign(this.stand.values[side], values);
  }
  async steer(...messages: Exclude<Message, { kind: 'observed' | 'vanished' }>[]): Promise<void> {
    for (const message of messages) await this.handle.signal(steer, message);
    await this.settled();
  }
  settled(): Promise<{ status: LinkState['status'] }> {
    return this.handle.executeUpdate(settled);
  }
  state(): Promise<LinkState> {
    return this.handle.query(stateQuery);
  }
  vanish(side: Side): Promise<void> {
    this.stand.gone = side;
    return this.handle.signal(vanished, { side });
  }
  until(what: string, test: (state: LinkState) => boolean): Promise<LinkState> {
    return eventually(what, () => this.state(), test);
  }
}

/** One way that a link can go. */
export interface Path {
  readonly rules?: Partial<Rules>;
  /** Before the link begins. */
  readonly prepare?: (stand: Stand) => void;
  readonly walk: (link: Walker) => Promise<unknown>;
}
