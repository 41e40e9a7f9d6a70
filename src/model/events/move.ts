import type { State } from '../state.ts';

/**
 * Takes what is known of one object over to another of the same type; counts are added up. The first is gone then. `keep`:
 * what the other one knows already stays.
 */
export function moveObject(state: State, from: number, to: number, keep = false): void {
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
    for (let i = 0; i < spec.words; i++) moveBits(state, from, cell + i, to, cell + i, keep);
  }
  state.remove(from);
}

/** Makes the known bits of a cell known in another one. */
export function moveBits(
  state: State,
  from: number,
  fromCell: number,
  to: number,
  toCell: number,
  keep: boolean,
): void {
  const known = state.known(from, fromCell) & ~(keep ? state.known(to, toCell) : 0);
  if (known !== 0) state.setBits(to, toCell, state.get(from, fromCell), known);
}
