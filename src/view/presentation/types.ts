import type { ObjectId } from '../../base/ids.ts';
import type { ObjectType } from '../../model/objects.ts';
import type { State } from '../../model/state.ts';
import * as avic from '../../model/things/avic.ts';
import * as ims from '../../model/things/ims.ts';
import * as irq from '../../model/things/irq.ts';
import * as nested from '../../model/things/nested.ts';
import * as pci from '../../model/things/pci.ts';
import * as queue from '../../model/things/queue.ts';
import * as remap from '../../model/things/remap.ts';
import * as riscv from '../../model/things/riscv.ts';
import * as snapshot from '../../model/things/snapshot.ts';
import * as virt from '../../model/things/virt.ts';
import * as xen from '../../model/things/xen.ts';
import { avicPresentations } from './avic.ts';
import { imsPresentations } from './ims.ts';
import { irqPresentations } from './irq.ts';
import { nestedPresentations } from './nested.ts';
import { pciPresentations } from './pci.ts';
import type { Presentation } from './presentation.ts';
import { queuePresentations } from './queue.ts';
import { remapPresentations } from './remap.ts';
import { riscvPresentations } from './riscv.ts';
import { snapshotPresentations } from './snapshot.ts';
import { virtPresentations } from './virt.ts';
import { xenPresentations } from './xen.ts';

/** The types of a module with their presentations. */
const paired = <Name extends string>(
  types: Readonly<Record<Name, ObjectType>>,
  presentations: Readonly<Record<Name, Presentation>>,
): (readonly [ObjectType, Presentation])[] =>
  (Object.keys(presentations) as Name[]).map((name) => [types[name], presentations[name]]);

/** All object types with their presentations. */
export const presentations: ReadonlyMap<ObjectType, Presentation> = new Map([
  ...paired(pci, pciPresentations),
  ...paired(irq, irqPresentations),
  ...paired(remap, remapPresentations),
  ...paired(virt, virtPresentations),
  ...paired(avic, avicPresentations),
  ...paired(riscv, riscvPresentations),
  ...paired(xen, xenPresentations),
  ...paired(ims, imsPresentations),
  ...paired(nested, nestedPresentations),
  ...paired(queue, queuePresentations),
  ...paired(snapshot, snapshotPresentations),
]);

/** How objects of a type are shown; as a mention for a type that has no presentation of its own. */
export const presentationOf = (type: ObjectType): Presentation => presentations.get(type) ?? pciPresentations.mention;

/** An object in one line: what it is called, what it holds, and a codicon that tells the most important of it. */
export interface Summary {
  readonly label: string;
  readonly description: string;
  readonly icon: string;
}

/** An object in one line, as it stands below the group that it is in. */
export function summaryOf(state: State, object: ObjectId): Summary {
  const node = state.world.node(object);
  const type = state.world.type(object);
  const { label, name, icon, signal, describe } = presentationOf(type ?? pci.mention);
  const title = label(node?.segment ?? '', node?.parent?.segment ?? '');
  const given = name === undefined ? '' : state.text(object, name);
  return {
    label: given === '' ? title : `${title} ${given}`,
    description: describe(state, object),
    icon: signal?.(state, object) ?? icon,
  };
}
