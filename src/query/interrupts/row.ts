import type { ObjectId, Step } from '../../base/ids.ts';

/** Where an interrupt stands; `docs/cli.md` says when it is which. */
export const STATUSES = ['idle', 'pending', 'masked', 'in-flight', 'in-service', 'lost', 'unknown'] as const;
export type Status = (typeof STATUSES)[number];

/** One interrupt as answers print it; each id is the path of an object, or null. */
export interface InterruptRow {
  /** The device entry that sends it: MSI-X or IMS entry, or MSI capability. */
  readonly entry: string | null;
  /** The entry as a guest sees it, where `entry` is another one. */
  readonly guestEntry: string | null;
  readonly irq: string | null;
  /** The innermost irq domain. */
  readonly domain: string | null;
  /** The entry of the translation table that its message selects: IRTE, or event of an ITS. */
  readonly irte: string | null;
  readonly cpu: string | null;
  /** The vector of the CPU, or of the virtual CPU where the trace tells of no other; on Arm the LPI or SPI, on RISC-V the identity. */
  readonly vector: string | null;
  readonly vfio: string | null;
  /** What KVM injects: the route, the irqfd or the line of a GSI. */
  readonly gsi: string | null;
  readonly vcpu: string | null;
  readonly guestIrq: string | null;
  /** Names of the actions. */
  readonly action: string | null;
  /** Causes in the device, messages sent, handler entries: so far; null where the trace cannot show them. */
  readonly raises: number | null;
  readonly sends: number | null;
  readonly handled: number | null;
  /** The last event about any of the objects of the row; null when there was none. */
  readonly last: { readonly step: Step; readonly time: string | null } | null;
  readonly status: Status;
  /** Ids of the rules that found something at an object of the row. */
  readonly findings: readonly string[];
}

/** What is joined in one row; -1 none. */
export interface Joined {
  readonly entry: ObjectId;
  readonly guestEntry: ObjectId;
  readonly irq: ObjectId;
  readonly guestIrq: ObjectId;
  readonly vfio: ObjectId;
  /** The same vector of VFIO in the log of the machine that the device is assigned to, where that is another system. */
  readonly guestVfio: ObjectId;
  readonly route: ObjectId;
  readonly irqfd: ObjectId;
  readonly line: ObjectId;
  readonly domain: ObjectId;
  /** Translation table entry, or SPI. */
  readonly translation: ObjectId;
  readonly cpu: ObjectId;
  readonly vector: ObjectId;
  /** The vector that the interrupt moves away from: what was sent before may still arrive, or pend, there. */
  readonly previous: ObjectId;
  readonly vcpu: ObjectId;
  /** The vector or INTID of the virtual CPU. */
  readonly vcpuVector: ObjectId;
}

/** The objects of a row that are its own: events about them are events of the interrupt. `lpis`: its LPI at all processors. */
export function ownObjects(row: Joined, lpis: readonly ObjectId[]): ObjectId[] {
  const own: ObjectId[] = [];
  const add = (object: ObjectId): void => {
    if (object >= 0) own.push(object);
  };
  add(row.entry);
  add(row.guestEntry);
  add(row.irq);
  add(row.guestIrq);
  add(row.vfio);
  if (row.guestVfio !== row.vfio) add(row.guestVfio);
  add(row.route);
  add(row.irqfd);
  add(row.line);
  add(row.translation);
  add(row.vector);
  if (row.vcpuVector !== row.vector) add(row.vcpuVector);
  if (row.previous !== row.vector && row.previous !== row.vcpuVector) add(row.previous);
  for (const object of lpis) if (object !== row.vector && object !== row.vcpuVector) add(object);
  return own;
}
