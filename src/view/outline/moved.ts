import { irq, vector } from '../../model/things/irq.ts';
import { msi, msixCap, msixEntry } from '../../model/things/pci.ts';
import { itsCollection } from '../../model/things/remap.ts';
import { kvmRoute } from '../../model/things/virt.ts';
import type { PathNode } from '../../model/world.ts';
import type { Now } from './now.ts';
import type { Row } from './rows.ts';

/** With more changed objects than this it is quicker to draw everything anew. */
const MANY = 400;

/**
 * The nodes that look different in two moments of one trace: their objects changed, they carried or carry a mark, or
 * they show something of an object that changed. Undefined when there are too many to look at one by one.
 */
export function movedNodes(old: Now, now: Now, known: ReadonlyMap<PathNode, Row[]>): Set<PathNode> | undefined {
  const { world } = now.state;
  const objects = new Set(now.state.changed(old.state));
  for (const change of [...old.changes, ...now.changes]) objects.add(change.object);
  if (objects.size > MANY) return undefined;
  const nodes = new Set<PathNode>();
  const add = (node: PathNode | undefined): void => {
    if (node) nodes.add(node);
  };
  const addKnown = (matches: (node: PathNode) => boolean): void => {
    for (const node of known.keys()) if (matches(node)) nodes.add(node);
  };
  for (const object of objects) {
    const node = world.node(object)!;
    add(node);
    switch (world.type(object)) {
      case irq:
        // Every vector that is assigned to it names it.
        addKnown(
          (n) =>
            world.type(n.object) === vector &&
            [old.state, now.state].some((s) => String(s.num(n.object, vector.at.irq)) === node.segment),
        );
        break;
      case msixCap:
        add(node.parent);
        addKnown((n) => n.parent?.segment === 'msix' && n.parent.parent === node.parent);
        break;
      case msi:
        add(node.parent);
        break;
      case msixEntry:
        addKnown((n) => world.type(n.object) === kvmRoute && now.state.num(n.object, kvmRoute.at.entry) === object);
        break;
      case itsCollection:
        addKnown((n) => n.parent?.segment === 'event' && n.path.startsWith(`${node.parent?.parent?.path}/`));
        break;
    }
  }
  return nodes;
}
