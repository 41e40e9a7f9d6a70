import { eventKind } from '../../event.ts';
import { amdGuestIrte, amdIrte128 } from '../../registers/amd.ts';
import type { State } from '../../state.ts';
import { avic, gaLog } from '../../things/avic.ts';
import { amdIrte } from '../../things/remap.ts';
import { vcpu } from '../../things/virt.ts';

const A = avic.at;
const G = gaLog.at;
const R = amdIrte.at;

/** What the IOMMU reads again for each message: bits of the lowest word (GALogIntr, IsRun, Destination), and of the highest. */
const LIVE = [
  amdGuestIrte.f.gaLogIntr.mask | amdGuestIrte.f.isRun.mask | amdGuestIrte.f.dest.mask,
  0xffffffff,
  0,
  amdIrte128.f.destHigh.mask,
];

/** The kernel wrote a 128-bit AMD table entry. Object: the entry. */
export const amdWideWrite = eventKind(
  'irte.writeAmdGa',
  'store',
  [amdIrte],
  'The kernel wrote a 128-bit AMD table entry in memory. The unit may hold an older copy until the table is invalidated, but it reads IsRun, GALogIntr, GATag and Destination of a guest entry again for each message.',
  { low: 'xx', high: 'xx' },
  (state, e, a) => {
    const words = [a.low(0), a.low(1), a.high(0), a.high(1)];
    const read = state.known(e.object, R.value) === 0xffffffff;
    const guest = amdIrte128.f.guestMode;
    const live = read && guest.in(words[0]!) && guest.in(state.get(e.object, R.value));
    let same = read;
    for (const [i, word] of words.entries()) {
      state.set(e.object, R.wide + i, word);
      if (live) state.setBits(e.object, R.value + i, word, LIVE[i]! >>> 0);
      if (state.get(e.object, R.value + i) !== word) same = false;
    }
    state.setFlag(e.object, R.ga, true);
    if (!same) state.setFlag(e.object, R.stale, true);
  },
);

/** KVM loaded a virtual CPU, or put it. Object: what AVIC has of it. */
export const avicEntry = eventKind(
  'avic.entry',
  'configure',
  [avic],
  'KVM wrote the entry of a virtual CPU in the physical APIC ID table.',
  { value: 'xx' },
  (state, e, a) => {
    state.set(e.object, A.entry, a.value(0));
    state.set(e.object, A.entry + 1, a.value(1));
  },
);

/** A request in the backing page. Object: what AVIC has of the virtual CPU. */
export const avicPost = eventKind(
  'avic.post',
  'deliver',
  [avic],
  'The bit of a vector in the IRR of an APIC backing page was set, or (`set` false) the virtual CPU took it. `signal` tells what followed: `doorbell`, `galog`, or `none`.',
  { vector: 'u', set: 'flag', signal: 's?' },
  (state, e, a) => {
    const vector = a.vector % 256;
    const mask = (1 << (vector & 31)) >>> 0;
    state.setBits(e.object, A.irr + (vector >>> 5), a.set ? mask : 0, mask);
  },
);

/** Object: the virtual CPU. KVM rings doorbells by software; those of hardware leave no record in captures. */
export const avicDoorbell = eventKind(
  'avic.doorbell',
  'deliver',
  [vcpu],
  'The CPU that runs a virtual CPU got a doorbell: its processor looks into the IRR of the backing page, without an exit.',
  { apicId: 'x' },
  (state, e) => countAvic(state, e.object, A.signals),
);

/** Counts something of what AVIC has of a virtual CPU. */
function countAvic(state: State, cpu: number, cell: number): void {
  state.count(state.world.child(avic, cpu, 'avic'), cell);
}

/** Object: the virtual CPU that sends. */
export const avicIncompleteIpi = eventKind(
  'avic.ipi',
  'call',
  [vcpu],
  'A virtual CPU left the guest because AVIC could not complete an interprocessor interrupt. `reason` of hardware: 0 invalid kind, 1 the target does not run, 2 invalid target, 3 invalid backing page.',
  { high: 'x', low: 'x', reason: 'u', index: 'u' },
);

/** The size of the log. Object: the log. */
export const gaLogStart = eventKind(
  'galog.start',
  'configure',
  [gaLog],
  'The host switched the GA log on, or (after an overflow) off and on again: the log is empty.',
  { entries: 'u' },
  (state, e, a) => {
    state.set(e.object, G.entries, a.entries);
    state.set(e.object, G.waiting, 0);
    state.setFlag(e.object, G.overflow, false);
  },
);

/** Object: the log. */
export const gaLogWrite = eventKind(
  'galog.write',
  'deliver',
  [gaLog],
  'The IOMMU logged a posted interrupt of a virtual CPU that does not run: the GATag of the table entry. `dropped`: the log is full, and nothing tells the host of it.',
  { tag: 'x', dropped: 'flag?' },
  (state, e, a) => {
    if (a.dropped === true) {
      state.setFlag(e.object, G.overflow, true);
      state.count(e.object, G.dropped);
      return;
    }
    state.count(e.object, G.written);
    state.set(e.object, G.waiting, Math.max(0, state.num(e.object, G.waiting)) + 1);
  },
);

/** Object: the log. */
export const gaLogRead = eventKind(
  'galog.read',
  'look',
  [gaLog],
  'The host read an entry of the GA log.',
  { tag: 'x' },
  (state, e) => {
    state.count(e.object, G.read);
    const waiting = state.num(e.object, G.waiting);
    if (waiting > 0) state.set(e.object, G.waiting, waiting - 1);
  },
);

/** Object: the virtual CPU. */
export const avicWake = eventKind(
  'avic.galog',
  'deliver',
  [vcpu],
  'KVM was told by the GA log that an interrupt was posted to a virtual CPU that does not run: it wakes it.',
  { vm: 'u', index: 'u' },
  (state, e) => countAvic(state, e.object, A.wakes),
);

export const avicEvents = [
  amdWideWrite,
  avicEntry,
  avicPost,
  avicDoorbell,
  avicIncompleteIpi,
  gaLogStart,
  gaLogWrite,
  gaLogRead,
  avicWake,
];
