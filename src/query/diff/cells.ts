import { byName } from '../../base/by-name.ts';
import type { Counted } from './numbers.ts';

/** The keys of objects that hold numbers which the system gives out by itself in each run, by the name of the type. */
const COUNTED: Readonly<Record<string, Readonly<Record<string, Counted>>>> = byName({
  irq: { lpi: 'lpi' },
  vector: { irq: 'irq' },
  ims: { virq: 'irq' },
  itsevent: { lpi: 'lpi' },
  vfiovector: { virq: 'gsi', eventfd: 'fd', irq: 'irq' },
  irqfd: { fd: 'fd', hostIrq: 'irq' },
  kvmentry: { gsi: 'gsi' },
  ntbcopy: { virq: 'irq' },
});

/** Keys that hold addresses in memory. */
const PLACES: Readonly<Record<string, readonly string[]>> = byName({
  bar: ['address'],
  table: ['address'],
  irunit: ['table'],
  itsdevice: ['itt'],
  kvmtable: ['base', 'pendingBase'],
});

/** What a key of an object counts; undefined when it holds no such number. */
export const countedIn = (type: string, key: string): Counted | undefined => COUNTED[type]?.[key];

/** Whether a key holds an address in memory, which differs between runs and is not compared. */
export const isPlace = (type: string, key: string): boolean => PLACES[type]?.includes(key) === true;
