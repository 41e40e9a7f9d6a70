import type { Actions } from '../actor.ts';

/** Follows actions as long as they are not `over`; then they are ended where they are, and nothing of them follows. */
export function* until(over: () => boolean, actions: Actions<unknown>): Actions {
  while (!over()) {
    const at = actions.next();
    if (at.done) return;
    yield at.value;
  }
  actions.return(undefined);
}
