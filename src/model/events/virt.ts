import { eventKind } from '../event.ts';
import type { State } from '../state.ts';
import { msixEntry } from '../things/pci.ts';
import { kvmEntrySource, kvmGsi, kvmIrqfd, kvmRoute, kvmTable, kvmVm, vcpu, vcpuVector } from '../things/virt.ts';

const C = vcpu.at;
const K = kvmRoute.at;

/** A virtual CPU enters or leaves guest code. Object: the virtual CPU. */
export const kvmEntry = eventKind(
  'kvm.entry',
  'handle',
  [vcpu],
  'A virtual CPU enters the guest.',
  { rip: 'xx?', inject: 'x?' },
  (state, e) => {
    state.setFlag(e.object, C.inGuest, true);
    if (state.known(e.object, C.sleeps) !== 0) state.setFlag(e.object, C.sleeps, false);
  },
);

export const kvmExit = eventKind(
  'kvm.exit',
  'handle',
  [vcpu],
  'A virtual CPU left the guest; `vector` is the vector of the host that ended its run.',
  { reason: 's', vector: 'u?' },
  (state, e, a) => {
    state.setFlag(e.object, C.inGuest, false);
    state.set(e.object, C.exitReason, a.reason);
    if (a.vector !== undefined) state.set(e.object, C.exitVector, a.vector);
    else state.forget(e.object, C.exitVector);
    state.count(e.object, C.exits);
  },
);

export const kvmUserspace = eventKind(
  'kvm.userspace',
  'call',
  [vcpu],
  'KVM returned to the VMM: the virtual CPU does not run guest code.',
  { reason: 's' },
  (state, e) => state.setFlag(e.object, C.inGuest, false),
);

/** Requested and in-service bits, and what was accepted and not taken, of a vector of a virtual CPU. */
const BITS = [vcpuVector.at.requested, vcpuVector.at.inService];

/**
 * INIT at the local APIC (SDM vol. 3 "Local APIC State After an INIT Reset"), or an entry at the reset vector ("First Instruction Executed":
 * FFFFFFF0H, IP FFF0H). A nested guest enters there too, so that the bits of the vectors are unknown behind it rather than clear.
 */
export const vcpuReset = eventKind(
  'vcpu.reset',
  'configure',
  [vcpu],
  'A virtual CPU starts from its reset state: its local APIC got INIT (`by` is `INIT`), or it enters at the reset vector (`reset vector`), as after a reboot of its machine. What its local APIC held before is gone.',
  { by: 's' },
  (state, e) => {
    state.touch(e.object);
    for (const { object } of state.world.node(e.object)?.children.get('vector')?.children.values() ?? []) {
      if (object < 0 || !state.present(object)) continue;
      for (const cell of BITS) if (state.flag(object, cell) === true) state.forget(object, cell);
      state.set(object, vcpuVector.at.open, 0);
    }
  },
);

/** sched_switch and sched_wakeup of the host, for threads that run a virtual CPU. */
export const vcpuSched = eventKind(
  'vcpu.sched',
  'configure',
  [vcpu],
  'The host put the thread of a virtual CPU on a processor, took it off, or woke it. `sleeps`: it waits until something wakes it; otherwise it could run and does not.',
  { on: 'flag', sleeps: 'flag?' },
  (state, e, a) => {
    if (a.on) state.setFlag(e.object, C.sleeps, false);
    else if (a.sleeps !== undefined) state.setFlag(e.object, C.sleeps, a.sleeps);
    else state.forget(e.object, C.sleeps);
  },
);

/** Interrupts into a virtual machine. Object: the virtual machine, a GSI or a virtual CPU's vector. */
export const kvmMsi = eventKind(
  'kvm.msi',
  'message',
  [kvmVm],
  'KVM decoded an MSI message: delivery, or a change of routing that decodes it (the event does not tell which).',
  { dest: 'x', vector: 'u', mode: 's', address: 'xx?', data: 'x?' },
  (state, e) => {
    if (state.world.type(e.object) === kvmVm) state.count(e.object, kvmVm.at.messages);
  },
);

export const kvmLine = eventKind(
  'kvm.line',
  'raise',
  [kvmGsi],
  'An interrupt line of a virtual machine was set.',
  { level: 'flag', source: 'u' },
  (state, e, a) => {
    state.setFlag(e.object, kvmGsi.at.level, a.level);
    state.count(e.object, kvmGsi.at.changes);
  },
);

export const kvmIoapic = eventKind(
  'kvm.ioapic',
  'message',
  [],
  'A pin of the virtual I/O APIC was set. `coalesced`: the pin is asserted already, or no local APIC takes the message: it sends nothing.',
  { pin: 'u', dest: 'x', vector: 'u', mode: 's', coalesced: 'flag?' },
);

export const kvmAck = eventKind('kvm.ack', 'deliver', [], 'A virtual interrupt controller saw an acknowledge.', {
  chip: 's',
  pin: 'u',
});

export const kvmMmio = eventKind('kvm.mmio', 'call', [], 'A guest access to device memory left the guest.', {
  write: 'flag',
  size: 'u',
  address: 'xx',
  value: 'xx',
});

export const piUpdate = eventKind(
  'pi.update',
  'configure',
  [kvmIrqfd],
  'A host irq was set up to post into a virtual CPU, or no longer.',
  { enable: 'flag', hostIrq: 'u', vcpu: 'u', vector: 'u', descriptor: 'xx?' },
  (state, e, a) => {
    state.setFlag(e.object, kvmIrqfd.at.posted, a.enable);
    state.set(e.object, kvmIrqfd.at.hostIrq, a.hostIrq);
    state.set(e.object, kvmIrqfd.at.guestVector, a.vector);
    state.set(e.object, kvmIrqfd.at.vcpu, a.vcpu);
  },
);

/** Object: what stands for the virtual machine that records do not name. */
export const kvmSeveral = eventKind(
  'kvm.several',
  'look',
  [kvmVm],
  'The trace shows a second virtual machine: records of KVM that name none may be about any. `by` tells what shows it: `thread` (two threads run a virtual CPU of one number), `process` (two processes have virtual machines), `descriptor` (a virtual CPU number has two posted-interrupt descriptors).',
  { by: 's' },
);

/** The irqfd of a GSI. Object: the irqfd, or the virtual machine. In captures the call begins; `irqfd.return` tells its end. */
export const irqfdAssign = eventKind(
  'irqfd.assign',
  'configure',
  [kvmIrqfd],
  'An eventfd was tied to a GSI, or released. In a capture this is where the call begins.',
  { fd: 'i?', release: 'flag?', resample: 'flag?' },
  (state, e, a) => {
    if (state.world.type(e.object) !== kvmIrqfd) return;
    if (a.release === true) {
      state.remove(e.object);
      return;
    }
    if (a.fd !== undefined) state.set(e.object, kvmIrqfd.at.fd, a.fd);
    if (a.resample !== undefined) state.setFlag(e.object, kvmIrqfd.at.resample, a.resample);
    else state.touch(e.object);
  },
);

/** -EBUSY of include/uapi/asm-generic/errno-base.h: the eventfd is tied already. */
const EBUSY = -16;

/** Of real traces, only those with a probe at the return of kvm_irqfd have it. Object: the irqfd. */
export const irqfdReturn = eventKind(
  'irqfd.return',
  'call',
  [kvmIrqfd],
  'KVM_IRQFD returned. 0: the eventfd is tied, or nothing comes from it any more. Negative: an errno, and the call changed nothing. `release`: what it was asked for.',
  { release: 'flag?', ret: 'i' },
  (state, e, a) => {
    if (a.ret >= 0 || state.world.type(e.object) !== kvmIrqfd) return;
    if (a.release === false && a.ret !== EBUSY) state.remove(e.object);
    else for (const cell of [kvmIrqfd.at.fd, kvmIrqfd.at.resample]) state.forget(e.object, cell);
  },
);

export const irqfdWakeup = eventKind(
  'irqfd.wakeup',
  'raise',
  [],
  'An eventfd that injects an interrupt was signalled. `source`: what signals it, as far as the trace tells (only simulated ones do): irqfd a thread of the VMM, vhost a worker, hostirq VFIO for an interrupt of the host, software VFIO without one.',
  { source: 's?' },
);

/** Copies the message that an MSI-X entry holds now into a route. */
function takeMessage(state: State, route: number, entry: number): void {
  const from = [msixEntry.at.address, msixEntry.at.address + 1, msixEntry.at.data];
  const to = [K.address, K.address + 1, K.data];
  for (const [i, cell] of to.entries()) {
    state.forget(route, cell);
    state.setBits(route, cell, state.get(entry, from[i]!), state.known(entry, from[i]!));
  }
}

/** The GSI routing table. Object: the route. */
export const routeSet = eventKind(
  'route.set',
  'configure',
  [kvmRoute],
  'A message route was added: a GSI now stands for the message of one vector.',
  { device: 's', vector: 'u', entry: 'o?', address: 'xx?', data: 'x?' },
  (state, e, a) => {
    // QEMU prints N/A for a route that belongs to no device.
    if (state.world.strings.text(a.device) === 'N/A') state.forget(e.object, K.device);
    else state.set(e.object, K.device, a.device);
    state.set(e.object, K.vector, a.vector);
    const entry = a.entry ?? -1;
    if (entry >= 0 && state.world.type(entry) === msixEntry) {
      state.set(e.object, K.entry, entry);
      takeMessage(state, e.object, entry);
    } else {
      for (const cell of [K.entry, K.address, K.address + 1, K.data]) state.forget(e.object, cell);
    }
    if (a.has.address && a.data !== undefined) {
      state.set(e.object, K.address, a.address(0));
      state.set(e.object, K.address + 1, a.address(1));
      state.set(e.object, K.data, a.data);
    }
  },
);

export const routeUpdate = eventKind(
  'route.update',
  'configure',
  [kvmRoute],
  'The message of a route was rewritten.',
  {},
  (state, e) => {
    state.count(e.object, K.updates);
    const entry = state.num(e.object, K.entry);
    if (entry >= 0) takeMessage(state, e.object, entry);
  },
);

export const routeRelease = eventKind(
  'route.release',
  'configure',
  [kvmRoute],
  'A GSI was given back; its route is gone.',
  {},
  (state, e) => state.remove(e.object),
);

export const routeCommit = eventKind(
  'route.commit',
  'configure',
  [kvmVm],
  'The routing table was handed to KVM.',
  {},
  (state, e) => {
    if (state.world.type(e.object) === kvmVm) state.count(e.object, kvmVm.at.commits);
  },
);

/** A call of the VMM into KVM. Object: the virtual machine. */
export const kvmIoctl = eventKind(
  'ioctl',
  'call',
  [kvmVm],
  'The VMM called KVM; the effect is told by events of its own. A negative return is an errno, flag 1 an entry that KVM does not hold. Without a return the record was made at the call.',
  {
    name: 's',
    ret: 'i?',
    table: 'u?',
    entry: 'u?',
    gsi: 'i?',
    address: 'xx?',
    data: 'x?',
    control: 'x?',
    flags: 'x?',
    pending: 'xx?',
  },
  (state, e) => state.count(e.object, kvmVm.at.ioctls),
);

/** An MSI-X table that KVM serves (proposal of 2010). Object: the table. */
export const kvmTableDefine = eventKind(
  'kvm.table',
  'configure',
  [kvmTable],
  'KVM serves an MSI-X table from now on: entries, where the table and its pending bits lie in the guest.',
  { device: 's', entries: 'u', base: 'xx', pendingBase: 'xx' },
  (state, e, a) => {
    const T = kvmTable.at;
    state.set(e.object, T.device, a.device);
    state.set(e.object, T.entries, a.entries);
    for (const i of [0, 1]) {
      state.set(e.object, T.base + i, a.base(i));
      state.set(e.object, T.pendingBase + i, a.pendingBase(i));
    }
  },
);

export const kvmTableRemove = eventKind(
  'kvm.table.remove',
  'configure',
  [kvmTable],
  'KVM no longer serves an MSI-X table; what it held of its entries is gone.',
  {},
  (state, e) => {
    const entries = state.world.node(e.object)?.children.get('entry')?.children;
    if (entries) for (const node of entries.values()) if (node.object >= 0) state.remove(node.object);
    state.remove(e.object);
  },
);

export const kvmTableEntry = eventKind(
  'kvm.table.entry',
  'configure',
  [kvmEntrySource],
  'KVM holds an entry of a table, or the entry was tied to the GSI of its interrupt source (-1: to none).',
  { held: 'flag?', gsi: 'i?' },
  (state, e, a) => {
    state.touch(e.object);
    if (a.held !== undefined) state.setFlag(e.object, kvmEntrySource.at.held, a.held);
    if (a.gsi !== undefined) state.set(e.object, kvmEntrySource.at.gsi, a.gsi);
  },
);

export const virtEvents = [
  kvmEntry,
  kvmExit,
  kvmUserspace,
  kvmMsi,
  kvmLine,
  kvmIoapic,
  kvmAck,
  kvmMmio,
  piUpdate,
  irqfdAssign,
  irqfdWakeup,
  routeSet,
  routeUpdate,
  routeRelease,
  routeCommit,
  kvmIoctl,
  kvmTableDefine,
  kvmTableRemove,
  kvmTableEntry,
  irqfdReturn,
  vcpuSched,
  vcpuReset,
  kvmSeveral,
];
