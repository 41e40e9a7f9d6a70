/** Local APICs and the I/O APIC of an emulated x86 machine (hw/intc/trace-events of QEMU 2.x to 10.2). */
import { apicIdIn } from '../../model/apic-ids.ts';
import { apicDeliver, apicEoi, apicLocal, apicLvtWrite, isLvt, kvmIpi } from '../../model/events/apic.ts';
import { lineSet } from '../../model/events/cpu.ts';
import { ioapicEoi, ioapicIrr, ioapicRead, ioapicWrite } from '../../model/events/ioapic.ts';
import { apicIcr, ioApicEntry } from '../../model/registers/x86.ts';
import { pin } from '../../model/things/irq.ts';
import { remapUnit } from '../../model/things/remap.ts';
import { vcpuObject, vcpuVectorObject } from '../objects.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';

/** Registers of a local APIC: their offset in its page; in x2APIC mode they have numbers, 16 bytes apart in the page. */
const PAGE = 4096;
const REGISTER_BYTES = 16;
const EOI = 0xb0;
const ICR = 0x300;
const ICR_HIGH = 0x310;

/** Delivery modes of ICR, in the words that KVM's trace events have for them. */
const MODES = ['Fixed', 'LowPrio', 'SMI', 'Res3', 'NMI', 'INIT', 'SIPI', 'ExtINT'] as const;

/** I/O APIC (82093AA 3.1, 3.2.4): the window to the register that IOREGSEL selects; the table begins at register 0x10. */
const WINDOW = 0x10;
const TABLE = 0x10;
const PINS = 240;

function eoi(q: Qemu): false | undefined {
  if (q.thread.vcpu < 0) return false;
  q.out.cpu = q.thread.vcpu;
  q.emit(apicEoi.put(), vcpuObject(q.out.world, q.thread.vcpu));
  return undefined;
}

/** A write of a register of the local APIC of the virtual CPU that the thread runs. */
function registerWrite(q: Qemu, offset: number, value: number, high: number): false | undefined {
  const { thread } = q;
  if (offset === EOI) return eoi(q);
  if (offset === ICR_HIGH) {
    thread.icrHigh = value;
    q.x2apic = false;
    return false;
  }
  // Only in x2APIC mode ICR is one register of 64 bits (SDM vol. 3, 11.12.1.2).
  if (offset === ICR && high > 0) q.x2apic = true;
  if (thread.vcpu < 0) return false;
  const cpu = vcpuObject(q.out.world, thread.vcpu);
  if (offset === ICR) {
    const { vector, deliveryMode, shorthand } = apicIcr.f;
    const event = kvmIpi
      .put()
      .vector(vector.of(value))
      .mode(q.intern(MODES[deliveryMode.of(value)]!));
    // xAPIC: the destination was written before, to bits 31:24 of the upper half; x2APIC: it is the upper half.
    if (shorthand.of(value) === 0) {
      if (high > 0) event.dest(high);
      else if (thread.icrHigh >= 0) event.dest(Math.floor(thread.icrHigh / 0x1000000));
    }
    q.out.cpu = thread.vcpu;
    q.emit(event, cpu);
    return undefined;
  }
  if (!isLvt(offset)) return false;
  q.out.cpu = thread.vcpu;
  q.emit(apicLvtWrite.put().register(offset).value(value), cpu);
  return undefined;
}

const pinObject = (q: Qemu, n: number): number => q.out.world.byNumbers(pin, 0, n, (_a, b) => `ioapic/0/pin/${b}`);

/** An access of the window while a half of an entry of the redirection table is selected. */
function tableAccess(
  q: Qemu,
  address: number,
  selected: number,
  value: number,
  kind: typeof ioapicWrite,
): false | undefined {
  const half = selected - TABLE;
  if (address !== WINDOW || half < 0 || half >= PINS * 2) return false;
  q.emit(
    kind
      .put()
      .high(half % 2 === 1)
      .value(value),
    pinObject(q, Math.floor(half / 2)),
  );
  return undefined;
}

/** The I/O APIC got the end of an interrupt: it is for all level-triggered pins that send this vector. */
function ended(q: Qemu, vector: number): false | undefined {
  const { world, state } = q.out;
  const { vector: own, trigger } = ioApicEntry.f;
  const pins = [...(world.find('ioapic/0/pin')?.children.values() ?? [])]
    .map((node) => node.object)
    .filter(
      (object) =>
        state.present(object) &&
        own.get(state, object, pin.at.entry) === vector &&
        trigger.flag(state, object, pin.at.entry) === true,
    );
  for (const object of pins) q.emit(ioapicEoi.put().vector(vector), object);
  return pins.length > 0 ? undefined : false;
}

function remoteIrr(q: Qemu, n: number, set: boolean): false | undefined {
  if (n >= PINS) return false;
  q.emit(ioapicIrr.put().set(set), pinObject(q, n));
  return undefined;
}

/** Processors of a machine: QEMU has 4096 at most (hw/i386/pc_q35.c). */
const MOST_PROCESSORS = 4096;

/** Whether the local APICs are in x2APIC mode: their registers were written so, or the remapping unit was told (EIME of its table register). */
const isX2apic = (q: Qemu): boolean => {
  if (q.x2apic) return true;
  const unit = q.out.world.objectAt('irte/0');
  return unit >= 0 && q.out.state.flag(unit, remapUnit.at.eim) === true;
};

export const apicRules: readonly QemuRule[] = [
  rule(
    'apic_deliver_irq',
    'dest {dest:u} dest_mode {destMode:u} delivery_mode {mode:u} vector {vector:u} trigger_mode {trigger:u}',
    (q, c, s) => {
      const dest = c.lo[s.dest]!;
      const vector = c.lo[s.vector]!;
      // A physical destination names one CPU; other logical ones than those of x2APIC mode, and broadcasts, need tables that the log
      // does not show.
      const processor =
        c.lo[s.destMode] === 0 ? (dest < 255 ? dest : -1) : isX2apic(q) ? apicIdIn(dest, true, true) : -1;
      const single = processor >= 0 && processor < MOST_PROCESSORS && vector >= 16;
      q.emit(
        apicDeliver
          .put()
          .dest(dest)
          .destMode(c.lo[s.destMode]!)
          .deliveryMode(c.lo[s.mode]!)
          .vector(vector)
          .trigger(c.lo[s.trigger]!),
        single ? vcpuVectorObject(q.out.world, processor, vector) : q.object('apic/bus'),
      );
    },
  ),
  rule('apic_local_deliver', 'vector {lvt:u} delivery mode {mode:u}', (q, c, s) => {
    if (q.thread.vcpu < 0) return false;
    q.out.cpu = q.thread.vcpu;
    q.emit(apicLocal.put().lvt(c.lo[s.lvt]!).deliveryMode(c.lo[s.mode]!), vcpuObject(q.out.world, q.thread.vcpu));
    return undefined;
  }),
  rule('apic_mem_writel', '{offset:x} = {value:x}', (q, c, s) =>
    registerWrite(q, c.lo[s.offset]! % PAGE, c.lo[s.value]!, 0),
  ),
  rule('apic_register_write', 'register {register:x} = {value:x}', (q, c, s) =>
    registerWrite(q, c.lo[s.register]! * REGISTER_BYTES, c.lo[s.value]!, c.hi[s.value]!),
  ),
  rule('ioapic_mem_write', 'ioapic mem write addr {addr:x} regsel: {regsel:x} size {size:x} val {value:x}', (q, c, s) =>
    tableAccess(q, c.lo[s.addr]!, c.lo[s.regsel]!, c.lo[s.value]!, ioapicWrite),
  ),
  rule(
    'ioapic_mem_read',
    'ioapic mem read addr {addr:x} regsel: {regsel:x} size {size:x} retval {value:x}',
    (q, c, s) => tableAccess(q, c.lo[s.addr]!, c.lo[s.regsel]!, c.lo[s.value]!, ioapicRead),
  ),
  rule('ioapic_eoi_broadcast', 'EOI broadcast for vector {vector:u}', (q, c, s) => ended(q, c.lo[s.vector]!)),
  rule('ioapic_set_remote_irr', 'set remote irr for pin {pin:u}', (q, c, s) => remoteIrr(q, c.lo[s.pin]!, true)),
  rule('ioapic_clear_remote_irr', 'clear remote irr for pin {pin:u} vector {vector:u}', (q, c, s) =>
    remoteIrr(q, c.lo[s.pin]!, false),
  ),
  rule('ioapic_set_irq', 'vector: {pin:u} level: {level:u}', (q, c, s) => {
    q.emit(lineSet.put().level(c.lo[s.level] !== 0), pinObject(q, c.lo[s.pin]!));
  }),
];
