import { queryFromView, queryQuestions } from '../../src/protocol/query.ts';
import type { Peer } from '../../src/protocol/rpc.ts';
import type { BoxActions } from './box.ts';

/** What a box for filters asks and tells the host. `trace`: number of the trace that is shown. */
export function queryActions(
  peer: Peer,
  trace: () => number,
  running: () => boolean,
  problem: (error: unknown) => void,
): BoxActions {
  return {
    ask: (text, column) => peer.ask(queryQuestions.typed, { trace: trace(), text, column }),
    look: (filter) => peer.tell(queryFromView.look, { trace: trace(), filter }),
    hit: (to) => peer.tell(queryFromView.hit, { trace: trace(), to }),
    stop: () => {
      const was = running();
      if (was) peer.tell(queryFromView.stop, { trace: trace() });
      return was;
    },
    problem,
  };
}

/** Control and F (macOS: Cmd and F) lead to the box from anywhere in the page. */
export function listenToFind(focus: () => void): void {
  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'f' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    focus();
    event.preventDefault();
    event.stopPropagation();
  });
}
