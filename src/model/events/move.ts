import type { State } from '../state.ts';

/** Takes what is known of one object over to another of the same type; counts are added up. The first is gone then. */
export function moveObject(state: State, from: number, to: number): void {
  const type = state.world.type(from);
  if (type === undefined || state.world.type(to) !== type || !state.present(from)) return;
  state.touch(to);
  for (const spec of type.cells) {
    const cell = type.at[spec.name]!;
    if (spec.kind === 'count') {
      const added = state.get(from, cell);
      if (added > 0) state.set(to, cell, state.get(to, cell) + added);
      continue;
    }
    for (let i = 0; i < spec.words; i++) {
      const known = state.known(from, cell + i);
      if (known !== 0) state.setBits(to, cell + i, state.get(from, cell + i), known);
    }
  }
  state.remove(from);
}
