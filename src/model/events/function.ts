import { eventKind } from '../event.ts';
import type { PathNode } from '../namespace.ts';
import type { State } from '../state.ts';
import { device, msi, msixCap } from '../things/pci.ts';
import { moveObject } from './move.ts';

/** Moves the objects below a node to the same places below another object. */
function moveBelow(state: State, node: PathNode, to: number): void {
  const { world } = state;
  const prefix = world.path(to);
  const skip = node.path.length;
  const visit = (below: PathNode): void => {
    for (const child of [...below.children.values()]) {
      const type = world.type(child.object);
      if (type !== undefined && state.present(child.object))
        moveObject(state, child.object, world.object(type, `${prefix}${child.path.slice(skip)}`));
      visit(child);
    }
  };
  visit(node);
}

/** The BDF of a function became known. Object: the function under its name. */
export const devBind = eventKind(
  'dev.bind',
  'configure',
  [device],
  'The BDF of a function became known that the trace only named so far: what is known of it moves there.',
  { device: 'o' },
  (state, e, a) => {
    const to = a.device;
    const node = state.world.node(e.object);
    if (node === undefined || state.world.type(to) !== device || to === e.object) return;
    moveBelow(state, node, to);
    moveObject(state, e.object, to);
  },
);

/** Cells of a function that config accesses fill. */
const FROM_CONFIG = ['command', 'vendor', 'msixAt', 'msiAt', 'config'] as const;

/** Object: the function. */
export const devUnsure = eventKind(
  'dev.unsure',
  'look',
  [device],
  'Config accesses without a bus number were taken for this function, and the trace shows another one that they can be about: what they told becomes unknown.',
  {},
  (state, e) => {
    for (const key of FROM_CONFIG) {
      const spec = device.cells.find((c) => c.name === key)!;
      for (let i = 0; i < spec.words; i++) state.forget(e.object, device.at[key] + i);
    }
    const children = state.world.node(e.object)?.children;
    for (const name of ['msixcap', 'msi']) {
      const cap = children?.get(name)?.object ?? -1;
      const type = state.world.type(cap);
      if (type !== msixCap && type !== msi) continue;
      for (const spec of type.cells) {
        if (spec.kind === 'count') continue;
        for (let i = 0; i < spec.words; i++) state.forget(cap, type.at[spec.name]! + i);
      }
    }
  },
);

export const functionEvents = [devBind, devUnsure];
