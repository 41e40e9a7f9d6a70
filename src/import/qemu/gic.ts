/** The GIC of an emulated Arm machine: CPU interfaces, redistributors, distributor (hw/intc/trace-events of QEMU 2.6 to 10.2). */
import { gicAck, gicActive, gicDeactivate, gicEoi, gicPending, gicRouted, gicSgi } from '../../model/events/apic.ts';
import { lineSet } from '../../model/events/cpu.ts';
import { iccControl } from '../../model/registers/its.ts';
import { pin } from '../../model/things/irq.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import { vcpuIntidObject } from '../objects.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';

/** INTIDs that a CPU interface gives for "nothing pending" and other special cases: 1020 to 1023. */
const isSpecial = (intid: number): boolean => intid >= 1020 && intid < 1024;

/** Priority that the emulator prints when no interrupt is pending. */
const NO_PRIORITY = 255;

/** Registers of a redistributor (IHI 0069 12.11): SGI_base is the second 64 KiB frame. One bit for each of INTID 0 to 31. */
const ISPENDR = 0x10200;
const ICPENDR = 0x10280;
const ISACTIVER = 0x10300;
const ICACTIVER = 0x10380;

/** GICD_IROUTER<n> of the distributor, 8 bytes each; SPIs begin at INTID 32. */
const IROUTER = 0x6000;
const FIRST_SPI = 32;
const SPIS_END = 1020;

/** EOImode of the CPU interfaces, as far as records have shown it, by the affinity that they print. */
const modes = new WeakMap<Qemu, Map<number, number>>();
function modesOf(q: Qemu): Map<number, number> {
  let known = modes.get(q);
  if (known === undefined) modes.set(q, (known = new Map()));
  return known;
}

const spi = (q: Qemu, n: number): number => q.out.world.byNumbers(pin, 1, n, (_a, b) => `gic/0/spi/${b}`);

function acknowledge(q: Qemu, cpu: number, intid: number): false | undefined {
  if (isSpecial(intid)) return false;
  q.out.cpu = cpu;
  q.emit(gicAck.put(), vcpuIntidObject(q.out.world, cpu, intid));
  return undefined;
}

function end(q: Qemu, cpu: number, intid: number): false | undefined {
  if (isSpecial(intid)) return false;
  q.out.cpu = cpu;
  const event = gicEoi.put();
  const mode = modesOf(q).get(cpu);
  if (mode !== undefined) event.mode(mode);
  q.emit(event, vcpuIntidObject(q.out.world, cpu, intid));
  return undefined;
}

function deactivate(q: Qemu, cpu: number, intid: number): false | undefined {
  if (isSpecial(intid)) return false;
  // With EOImode 0 a write of ICC_DIR is of no use (IHI 0069 12.2.7): it shows that the mode is 1.
  modesOf(q).set(cpu, 1);
  q.out.cpu = cpu;
  q.emit(gicDeactivate.put(), vcpuIntidObject(q.out.world, cpu, intid));
  return undefined;
}

/** Interrupts that were shown as the highest pending one of a CPU since it had none, by CPU. */
const shown = new WeakMap<Qemu, Map<number, Set<number>>>();
function shownAt(q: Qemu, cpu: number): Set<number> {
  let all = shown.get(q);
  if (all === undefined) shown.set(q, (all = new Map()));
  let objects = all.get(cpu);
  if (objects === undefined) all.set(cpu, (objects = new Set()));
  return objects;
}

/** The highest pending interrupt of a CPU; it is printed at every change of anything, so only news becomes an event. */
function pending(q: Qemu, cpu: number, intid: number, priority: number): false | undefined {
  if (priority === NO_PRIORITY) return nothingPending(q, cpu);
  if (isSpecial(intid)) return false;
  const object = vcpuIntidObject(q.out.world, cpu, intid);
  if (q.out.state.flag(object, vcpuVector.at.requested) === true) return false;
  q.emit(gicPending.put().pending(true), object);
  shownAt(q, cpu).add(object);
  return undefined;
}

/** Nothing that is enabled is pending at a CPU: what was shown as pending, and not acknowledged since, is so no longer or was disabled. */
function nothingPending(q: Qemu, cpu: number): false | undefined {
  const objects = shownAt(q, cpu);
  const stale = [...objects].filter((object) => q.out.state.flag(object, vcpuVector.at.requested) === true);
  objects.clear();
  for (const object of stale) q.emit(gicPending.put(), object);
  return stale.length > 0 ? undefined : false;
}

/** A write of a register with a bit for each of INTID 0 to 31. What is cleared of INTIDs that never occurred says nothing. */
function redistWrite(q: Qemu, cpu: number, offset: number, value: number): false | undefined {
  if (offset !== ISPENDR && offset !== ICPENDR && offset !== ISACTIVER && offset !== ICACTIVER) return false;
  const { world, state } = q.out;
  const sets = offset === ISPENDR || offset === ISACTIVER;
  let any = false;
  for (let n = 0; n < 32; n++) {
    if (Math.floor(value / 2 ** n) % 2 === 0) continue;
    const known = world.objectAt(`vcpu/${cpu}/intid/${n}`);
    if (!sets && (known < 0 || !state.present(known))) continue;
    const object = vcpuIntidObject(world, cpu, n);
    if (offset === ISACTIVER) q.emit(gicActive.put(), object);
    else if (offset === ICACTIVER) q.emit(gicDeactivate.put(), object);
    else q.emit(gicPending.put().pending(sets), object);
    any = true;
  }
  return any ? undefined : false;
}

function distWrite(q: Qemu, offset: number, value: number): false | undefined {
  const n = (offset - IROUTER) / 8;
  if (!Number.isInteger(n) || n < FIRST_SPI || n >= SPIS_END) return false;
  q.emit(gicRouted.put().value(value), spi(q, n));
  return undefined;
}

const iar = (name: string, register: string): QemuRule =>
  rule(name, `GICv3 ${register} read cpu {cpu:x} value {intid:x}`, (q, c, s) =>
    acknowledge(q, c.lo[s.cpu]!, c.lo[s.intid]!),
  );

export const gicRules: readonly QemuRule[] = [
  iar('gicv3_icc_iar1_read', 'ICC_IAR1'),
  iar('gicv3_icc_iar0_read', 'ICC_IAR0'),
  iar('gicv3_icc_nmiar1_read', 'ICC_NMIAR1'),
  rule('gicv3_icc_eoir_write', 'GICv3 ICC_EOIR{group:u} write cpu {cpu:x} value {intid:x}', (q, c, s) =>
    end(q, c.lo[s.cpu]!, c.lo[s.intid]!),
  ),
  rule('gicv3_icc_dir_write', 'GICv3 ICC_DIR write cpu {cpu:x} value {intid:x}', (q, c, s) =>
    deactivate(q, c.lo[s.cpu]!, c.lo[s.intid]!),
  ),
  rule('gicv3_icc_ctlr_write', 'GICv3 ICC_CTLR write cpu {cpu:x} value {value:x}', (q, c, s) => {
    modesOf(q).set(c.lo[s.cpu]!, iccControl.f.eoiMode.of(c.lo[s.value]!));
    return false;
  }),
  rule('gicv3_icc_ctlr_read', 'GICv3 ICC_CTLR read cpu {cpu:x} value {value:x}', (q, c, s) => {
    modesOf(q).set(c.lo[s.cpu]!, iccControl.f.eoiMode.of(c.lo[s.value]!));
    return false;
  }),
  rule(
    'gicv3_cpuif_update',
    'GICv3 CPU i/f {cpu:x} HPPI update: irq {irq:u} group {group:u} prio {prio:u}…',
    (q, c, s) => pending(q, c.lo[s.cpu]!, c.lo[s.irq]!, c.lo[s.prio]!),
  ),
  rule('gicv3_dist_set_irq', 'GICv3 distributor interrupt {irq:u} level changed to {level:u}', (q, c, s) =>
    q.emit(lineSet.put().level(c.lo[s.level] !== 0), spi(q, c.lo[s.irq]!)),
  ),
  rule('gicv3_dist_write', 'GICv3 distributor write: offset {offset:x} data {data:x} size…', (q, c, s) =>
    distWrite(q, c.lo[s.offset]!, c.lo[s.data]!),
  ),
  rule(
    'gicv3_redist_set_irq',
    'GICv3 redistributor {cpu:x} interrupt {irq:u} level changed to {level:u}',
    (q, c, s) => {
      const object = q.out.world.byNumbers(
        pin,
        2 + c.lo[s.cpu]!,
        c.lo[s.irq]!,
        (a, n) => `gic/0/redist/${a - 2}/ppi/${n}`,
      );
      q.emit(lineSet.put().level(c.lo[s.level] !== 0), object);
    },
  ),
  rule('gicv3_redist_send_sgi', 'GICv3 redistributor {cpu:x} pending SGI {irq:u}', (q, c, s) =>
    q.emit(gicSgi.put(), vcpuIntidObject(q.out.world, c.lo[s.cpu]!, c.lo[s.irq]!)),
  ),
  rule('gicv3_redist_write', 'GICv3 redistributor {cpu:x} write: offset {offset:x} data {data:x} size…', (q, c, s) =>
    redistWrite(q, c.lo[s.cpu]!, c.lo[s.offset]!, c.lo[s.data]!),
  ),
  rule('gic_acknowledge_irq', '{what:w} {cpu:u} acknowledged irq {intid:u}', (q, c, s) =>
    acknowledge(q, c.lo[s.cpu]!, c.lo[s.intid]!),
  ),
  rule('gic_set_irq', 'irq {irq:u} level {level:u}…', (q, c, s) =>
    q.emit(lineSet.put().level(c.lo[s.level] !== 0), spi(q, c.lo[s.irq]!)),
  ),
];
