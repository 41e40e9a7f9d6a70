import type { ObjectId } from '../../base/ids.ts';
import { eventKind } from '../event.ts';
import type { PathNode } from '../namespace.ts';
import { msiControl, msixControl, msixVectorControl } from '../registers/pci.ts';
import type { State } from '../state.ts';
import { device, msi, msixCap, msixEntry } from '../things/pci.ts';
import { cellsOf, msiBelow } from './config-space.ts';
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

const { enable, fmask } = msixControl.f;
const { enable: msiEnable, multipleEnable, extendedEnable } = msiControl.f;

/**
 * What a reset leaves of a function (PCIe Base 6.6.2 and the reset values of the registers): Command 0, MSI and MSI-X off,
 * every entry masked, nothing pending; messages are undefined.
 */
export function resetFunction(state: State, dev: ObjectId): void {
  state.set(dev, cellsOf(state, dev).command, 0);
  const node = state.world.node(dev);
  const cap = node?.children.get('msixcap')?.object ?? -1;
  if (state.present(cap)) state.setBits(cap, msixCap.at.control, 0, enable.mask | fmask.mask);
  const single = node?.children.get(msiBelow(state, dev))?.object ?? -1;
  if (state.present(single)) {
    state.setBits(single, msi.at.control, 0, msiEnable.mask | multipleEnable.mask | extendedEnable.mask);
    for (const cell of [msi.at.address, msi.at.address + 1, msi.at.data]) state.forget(single, cell);
    // Mask and pending bits are there only when the capability has them; what no access showed stays unknown.
    for (const cell of [msi.at.mask, msi.at.pending]) if (state.known(single, cell) !== 0) state.set(single, cell, 0);
  }
  for (const { object } of node?.children.get('msix')?.children.values() ?? []) {
    if (!state.present(object)) continue;
    for (let cell = 0; cell < 3; cell++) state.forget(object, msixEntry.at.address + cell);
    state.set(object, msixEntry.at.control, msixVectorControl.f.mask.mask);
    state.setFlag(object, msixEntry.at.pending, false);
  }
}

/** A reset of the function. Object: the function. */
export const devReset = eventKind(
  'dev.reset',
  'configure',
  [device],
  'The function was reset: Command 0, MSI and MSI-X disabled, every entry masked, its message undefined and nothing pending.',
  {},
  (state, e) => {
    state.touch(e.object);
    resetFunction(state, e.object);
  },
);

export const functionEvents = [devReset, devBind, devUnsure];
