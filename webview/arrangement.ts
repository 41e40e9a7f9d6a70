import { isName, type Peer } from '../src/protocol/rpc.ts';
import { fromView, MOST_ARRANGED } from '../src/protocol/timeline.ts';
import type { Model } from './model.ts';

/** Tells the host how the lanes are arranged, once the user has arranged them, and only what it does not know. */
export class Arrangement {
  #told = '';

  tell(peer: Peer, { trace, rows }: Model): void {
    const lanes = trace?.status === 'ready' ? rows.layout?.slice(0, MOST_ARRANGED) : undefined;
    const told = JSON.stringify([trace?.id, lanes]);
    if (!trace || !lanes || told === this.#told) return;
    this.#told = told;
    peer.tell(fromView.layout, { trace: trace.id, lanes: lanes.filter(isName).slice(0, MOST_ARRANGED) });
  }
}
