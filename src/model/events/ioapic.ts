import { eventKind, type Role } from '../event.ts';
import { writableMask } from '../register.ts';
import { ioApicEntry } from '../registers/x86.ts';
import { pin } from '../things/irq.ts';

const { remoteIrr, status } = ioApicEntry.f;

/** Bits of the lower half that are the hardware's. Behind a remapping unit bits 63:32 hold the handle of a table entry. */
const HARDWARE = status.mask | remoteIrr.mask;
const WRITABLE = writableMask(ioApicEntry)[0]!;

/** An access of half an entry of the redirection table. Object: the pin. */
const entryEvent = (name: string, role: Role, meaning: string, write: boolean) =>
  eventKind(name, role, [pin], meaning, { high: 'flag', value: 'x' }, (state, e, a) => {
    state.touch(e.object);
    if (a.high) state.set(e.object, pin.at.entry + 1, a.value);
    else if (write) state.setBits(e.object, pin.at.entry, a.value & WRITABLE, ~HARDWARE);
    else state.set(e.object, pin.at.entry, a.value);
  });

export const ioapicWrite = entryEvent(
  'ioapic.write',
  'store',
  'Software wrote half an entry of the redirection table: bits 63:32 (`high`) or 31:0.',
  true,
);

export const ioapicRead = entryEvent(
  'ioapic.read',
  'look',
  'Software read half an entry of the redirection table: bits 63:32 (`high`) or 31:0.',
  false,
);

export const ioapicIrr = eventKind(
  'ioapic.irr',
  'deliver',
  [pin],
  'Remote IRR of a pin was set (a local APIC accepted its level-triggered interrupt) or cleared (it was ended).',
  { set: 'flag' },
  (state, e, a) => {
    state.touch(e.object);
    state.setBits(e.object, pin.at.entry, a.set ? remoteIrr.mask : 0, remoteIrr.mask);
  },
);

export const ioapicEoi = eventKind(
  'ioapic.eoi',
  'eoi',
  [pin],
  'The end of an interrupt reached the I/O APIC: Remote IRR of a level-triggered pin with that vector is cleared.',
  { vector: 'u' },
  (state, e) => {
    state.touch(e.object);
    state.setBits(e.object, pin.at.entry, 0, remoteIrr.mask);
  },
);

export const ioapicEvents = [ioapicWrite, ioapicRead, ioapicIrr, ioapicEoi];
