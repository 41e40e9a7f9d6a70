/**
 * /sys/kernel/debug/kvm/<pid>-<fd>/vgic-state and vgic-its-state@<address>: the GIC that KVM emulates for a guest (arm64).
 * Source of the format: arch/arm64/kvm/vgic/vgic-debug.c; the DeviceID is printed in decimal at first, later in hexadecimal with 0x.
 * What it cannot tell: its time; the machine that it belongs to; what list registers of running virtual CPUs hold; the number of the ITS.
 */
import { textOf } from '../../base/bytes.ts';
import { hexText } from '../../base/hex.ts';
import { snapItsDevice, snapItsEvent, snapVgic } from '../../model/events/snapshot/tables.ts';
import { itsDevice, itsEvent } from '../../model/things/remap.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import type { Heard } from '../text/headings.ts';
import { SnapshotReader } from './reader.ts';

interface Row {
  readonly kind: 'irq' | 'device' | 'event';
  readonly type: string;
  readonly bits: string;
  readonly numbers: readonly number[];
}

const IRQ =
  /^ *(SGI|PPI|SPI|LPI) +(\d{1,10}) +(-?\d{1,5}) +([01]{7}) +(\d{1,10}) +([0-9a-f]{1,8}) +([0-9a-f]{1,2}) +(\d{1,3}) +(-?\d{1,5})$/;
const DEVICE = /^Device ID: (0x[0-9a-f]{1,8}|\d{1,10}), Event ID Range: \[0 - (\d{1,10})\]$/;
const EVENT = /^ *(\d{1,10}) +(\d{1,10}) +(\d{1,10}) +(\d{1,10}) +(\d{1,10}) +(-?\d{1,2})$/;
const TABLE = /^(VCPU|SPI) *(\d{1,5}) TYP +ID TGT_ID PLAEHCG +HWID +TARGET SRC PRI VCPU_ID$/;
const HEADER =
  /^(?:Distributor|={5,}|-{20,}|vgic_model:\s+GICv\d|(?:nr_spis|nr_lpis|enabled):\s+\d+|P=pending_latch, .*|E=enabled, H=hw, .*|G=group|EVENT_ID +INTID +HWINTID +TARGET +COL_ID HW)$/;
const MOST = 0xffffffff;

export class VgicDebugfsReader extends SnapshotReader<Row> {
  /** The virtual CPU whose private interrupts are listed; undefined behind another header. */
  #vcpu: number | undefined;
  /** DeviceID whose table is listed. */
  #device: number | undefined;
  #rows = 0;

  constructor(out: TraceBuilder) {
    super(out, 'vgic-debugfs');
    out.source.vantage = 'hypervisor';
  }

  protected may(buf: Uint8Array, start: number): boolean {
    const first = buf[start]!;
    // A blank, a digit, or a letter of SGI, PPI, SPI, LPI, Device.
    return first === 32 || (first >= 48 && first <= 57) || first === 83 || first === 80 || first === 76 || first === 68;
  }

  protected parse(line: string): Row | undefined {
    const irq = IRQ.exec(line);
    if (irq !== null) {
      const [, type, id, target, bits, hwid, , , priority] = irq;
      return { kind: 'irq', type: type!, bits: bits!, numbers: [id, target, hwid, priority].map(Number) };
    }
    const device = DEVICE.exec(line);
    if (device !== null) return row('device', [device[1], device[2]]);
    const event = this.#device === undefined ? null : EVENT.exec(line);
    return event === null ? undefined : row('event', event.slice(1));
  }

  protected take({ kind, type, bits, numbers }: Row): string | undefined {
    const { out } = this;
    this.#rows++;
    if (kind === 'device') {
      this.#device = numbers[0]!;
      out.emit(snapItsDevice.put().last(numbers[1]!), out.world.object(itsDevice, this.#path()));
      return undefined;
    }
    if (kind === 'event') {
      const [id, lpi, , target, collection] = numbers as [number, number, number, number, number];
      out.emit(
        snapItsEvent.put().lpi(lpi).target(target).collection(collection),
        out.world.object(itsEvent, `${this.#path()}/event/${id}`),
      );
      return undefined;
    }
    const [id, target, hwid, priority] = numbers as [number, number, number, number];
    const vcpu = type === 'SGI' || type === 'PPI' ? this.#vcpu : target;
    if (vcpu === undefined || vcpu < 0) return 'an INTID of no virtual CPU';
    const flag = (at: number): boolean => bits[at] === '1';
    const event = snapVgic
      .put()
      .pending(flag(0))
      .line(flag(1))
      .active(flag(2))
      .enabled(flag(3))
      .hardware(flag(4))
      .level(flag(5))
      .group(Number(bits[6]))
      .hwintid(hwid)
      .priority(priority);
    out.emit(event, out.world.object(vcpuVector, `vcpu/${vcpu}/intid/${id}`));
    return undefined;
  }

  /** The device at hand, as paths name it. */
  #path(): string {
    return `its/0/device/${hexText(BigInt(this.#device ?? 0))}`;
  }

  override note(buf: Uint8Array, start: number, end: number): string | undefined {
    super.note(buf, start, end);
    const line = textOf(buf, start, Math.min(end, start + 200)).trimEnd();
    const table = TABLE.exec(line);
    if (table !== null) {
      this.#vcpu = table[1] === 'VCPU' ? Number(table[2]) : undefined;
      return 'header';
    }
    if (HEADER.test(line)) return 'header';
    this.#device = undefined;
    return undefined;
  }

  override hear(heard: Heard): void {
    super.hear(heard);
    if (heard.path === undefined) return;
    this.#vcpu = undefined;
    this.#device = undefined;
  }

  override follow(before: VgicDebugfsReader): void {
    super.follow(before);
    this.#vcpu = before.#vcpu;
    this.#device = before.#device;
  }

  protected variant(): string {
    return `${this.#rows} rows`;
  }
}

/** A row of numbers that fit 32 bits. */
function row(kind: Row['kind'], texts: readonly (string | undefined)[]): Row | undefined {
  const numbers = texts.map(Number);
  return numbers.every((n) => n <= MOST) ? { kind, type: '', bits: '', numbers } : undefined;
}
