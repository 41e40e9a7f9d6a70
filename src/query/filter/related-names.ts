// The objects that an event's object is related to, by name: `entry.mask` is the mask bit of the entry that the event belongs to.

import { byName } from '../../base/by-name.ts';
import type { ObjectType } from '../../model/objects.ts';
import { pathTypes } from '../../model/paths.ts';
import { imsEntry, queue } from '../../model/things/ims.ts';
import { cpu, domain, irq, vector } from '../../model/things/irq.ts';
import { device, msi, msixCap, msixEntry } from '../../model/things/pci.ts';
import { amdIrte, irte, itsEvent, lpiConfig } from '../../model/things/remap.ts';
import { kvmIrqfd, kvmRoute, vcpu, vfioVector } from '../../model/things/virt.ts';

/** A related object by its name. */
export interface RelationName {
  readonly what: string;
  /** The types of objects that it can be. */
  readonly types: readonly ObjectType[];
  /** What the paths of such objects begin with, where short forms are understood: `irq == 41` is `irq/41`. */
  readonly root?: string;
}

const all: readonly ObjectType[] = [...new Set(pathTypes.map(([, type]) => type))];

/** The related objects that a filter may name. */
export const relationNames: Readonly<Record<string, RelationName>> = byName({
  object: { what: 'the object that the event is about', types: all },
  device: { what: 'the function that it belongs to', types: [device], root: 'device/' },
  msixcap: { what: 'the MSI-X capability of that function', types: [msixCap] },
  entry: {
    what: 'the entry that holds its message: MSI-X, MSI or IMS',
    types: [msixEntry, msi, imsEntry],
    root: 'device/',
  },
  irq: { what: 'the Linux interrupt', types: [irq], root: 'irq/' },
  irte: { what: 'the interrupt remapping table entry', types: [irte, amdIrte], root: 'irte/' },
  ite: { what: 'the interrupt translation table entry of an ITS', types: [itsEvent], root: 'its/' },
  lpi: { what: 'the configuration of the LPI', types: [lpiConfig] },
  vector: { what: 'the vector of a CPU', types: [vector] },
  cpu: { what: 'the CPU that the vector or interrupt belongs to', types: [cpu] },
  vfio: { what: 'the interrupt of a VFIO device', types: [vfioVector] },
  route: { what: 'the GSI route of KVM', types: [kvmRoute] },
  irqfd: { what: 'the irqfd of KVM', types: [kvmIrqfd] },
  vcpu: { what: 'the virtual CPU', types: [vcpu], root: 'vcpu/' },
  domain: { what: 'the irq domain', types: [domain] },
  queue: { what: 'the queue of a function', types: [queue] },
});

/** Whether a name is that of a related object. */
export const isRelation = (name: string): boolean => name in relationNames;

/** Names that mean the related object also without a key, where the event has no argument of that name. */
const BARE = new Set(['device', 'entry', 'irq', 'irte', 'vcpu']);

/** Whether a name alone means the related object of events that have no argument of that name. */
export const refersToRelated = (name: string): boolean => BARE.has(name);
