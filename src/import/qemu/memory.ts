import { bytesOf, QUOTE, Scanner, SPACE, sameAt, viewOf, wordsOf } from '../../base/bytes.ts';
import { gicFrameSeen } from '../../model/events/its.ts';
import { pbaRead, pbaWrite, tblRead, tblWrite } from '../../model/events/msix.ts';
import { ENTRY_BYTES } from '../../model/registers/pci.ts';
import { isInterruptAddress } from '../../model/registers/x86.ts';
import { NameTable } from '../names.ts';
import { captures, Pattern } from '../pattern.ts';
import type { Qemu, QemuRule } from './context.ts';
import { eduRaises } from './models.ts';
import { refineConfigRead } from './pci.ts';
import { send, sendToAmd, sendToImsic } from './send.ts';

/** Memory regions that matter, by the name that the emulator gives them. */
const REGIONS = [
  'msix-table',
  'msix-pba',
  'vtd-ir',
  'apic-msi',
  'amdvi-ir',
  'translation',
  'gicv2m',
  'pci-conf-data',
  'pcie-mmcfg-mmio',
  'edu-mmio',
  'isa-debugcon',
  'riscv.imsic',
] as const;
const [TABLE, PBA, VTD_IR, APIC_MSI, AMDVI_IR, TRANSLATION, GICV2M, CONF_DATA, , EDU, DEBUGCON, IMSIC] = REGIONS.keys();
const regions = new NameTable(REGIONS);
const NAME = bytesOf(" name '");
/** A text between values: its length, and its words (see `wordsOf`). */
const literal = (text: string): { readonly length: number; readonly words: Int32Array } => ({
  length: text.length,
  words: Int32Array.from(wordsOf(bytesOf(text), 0, text.length)),
});
const CPU = literal('cpu ');
const ADDR = literal(' addr 0x');
const VALUE = literal(' value 0x');
const SIZE = literal(' size ');
const MR = literal(' mr ');

const EDU_BAR = 1 << 20;
const EDU_RAISE = 0x60;

const scanner = new Scanner();

/** Whether a text stands where the scanner is; then it goes on behind it. */
function takes(view: DataView, { length, words }: ReturnType<typeof literal>): boolean {
  const { pos } = scanner;
  if (scanner.end - pos < length || !sameAt(view, pos, length, words, 0)) return false;
  scanner.pos = pos + length;
  return true;
}

/** The region named at the end of a line, or -1: a name that does not matter; -2: the line names no region. */
function regionOf(buf: Uint8Array, start: number, end: number): number {
  let stop = end;
  while (stop > start && buf[stop - 1] === SPACE) stop--;
  if (buf[stop - 1] !== QUOTE) return -2;
  let at = stop - 2;
  while (at > start && buf[at] !== QUOTE) at--;
  // " name '" comes before the name; a name may hold brackets or dots, but no quote.
  for (let i = 0; i < NAME.length; i++) if (buf[at - NAME.length + 1 + i] !== NAME[i]) return -2;
  return regions.find(buf, at + 1, stop - 1);
}

const ACCESS = new Pattern("cpu {cpu:d} «mr {mr:w} »addr {addr:x} value {value:x} size {size:u}« name '{region:s}'»");

/** Whether these are the arguments of an access, without any effect. */
function readsAccess({ buf }: Qemu, start: number, end: number): number {
  if (!ACCESS.match(buf, start, end)) return 0;
  return captures.got[ACCESS.slot.region] === 1 ? 3 : 2;
}

/** An access of device memory, printed with its guest-physical address. */
function access(q: Qemu, start: number, end: number, write: boolean): boolean | null {
  const { thread } = q;
  const { buf } = q;
  const view = viewOf(buf);
  let region = regionOf(buf, start, end);
  // "cpu N" tells which virtual CPU the thread runs; the rest is read only where it matters.
  scanner.on(buf, start, end);
  if (!takes(view, CPU) || !scanner.dec()) return null;
  const cpu = scanner.lo | 0;
  if (cpu >= 0) thread.vcpu = cpu;
  q.out.cpu = cpu;
  if (region === -1) return false;
  let mrStart = 0;
  let mrEnd = 0;
  if (takes(view, MR)) {
    mrStart = scanner.pos;
    while (scanner.pos < end && buf[scanner.pos] !== SPACE) scanner.pos++;
    mrEnd = scanner.pos;
  }
  if (!takes(view, ADDR) || !scanner.hex()) return null;
  const addressLo = scanner.lo;
  const addressHi = scanner.hi;
  if (!takes(view, VALUE) || !scanner.hex()) return null;
  const valueLo = scanner.lo;
  const valueHi = scanner.hi;
  if (!takes(view, SIZE) || !scanner.dec()) return null;
  const size = scanner.lo;
  if (region === -2) {
    while (scanner.pos < end && buf[scanner.pos] === SPACE) scanner.pos++;
    if (scanner.pos < end) return null;
  }
  const address = addressHi * 0x100000000 + addressLo;
  const named = region !== -2;
  if (!named) region = guessRegion(q, address);
  switch (region) {
    case TABLE: {
      const mr = mrEnd > mrStart ? q.out.world.strings.text(q.out.world.strings.internBytes(buf, mrStart, mrEnd)) : '';
      const { entry, offset } = q.pci.tables.entryAt(address, mr);
      if (write && offset + size === ENTRY_BYTES) {
        thread.control.record = thread.records;
        thread.control.address = address;
        thread.control.region = mr;
      }
      tableAccess(q, entry, offset, size, valueLo, valueHi, write);
      return true;
    }
    case PBA:
      return pbaAccess(q, address, size, valueLo, valueHi, write);
    case AMDVI_IR:
      if (!write) return false;
      sendToAmd(q, { lo: addressLo, hi: addressHi, data: valueLo, size });
      return true;
    case VTD_IR:
    case GICV2M:
    case TRANSLATION:
      if (!write) return false;
      if (region === GICV2M) frameSeen(q, addressLo, addressHi);
      send(q, { lo: addressLo, hi: addressHi, data: valueLo, size });
      return true;
    case APIC_MSI:
      if (!write) return false;
      // The same region serves the local APIC's registers: its first page, except register 0 (hw/intc/apic.c).
      if ((addressLo & 0xff000) === 0 && (addressLo & 0xff0) !== 0) {
        const mr = mrEnd > mrStart ? q.out.world.strings.internBytes(buf, mrStart, mrEnd) : 0;
        if (named || !isOfUnit(q, mr, addressLo, cpu)) return false;
      }
      (named ? send : sendToAmd)(q, { lo: addressLo, hi: addressHi, data: valueLo, size });
      return true;
    case IMSIC:
      // The registers of a page for messages stand at its start (RISC-V AIA 3.5): seteipnum_le at 0, seteipnum_be at 4.
      return write && (addressLo & 0xfff) === 0
        ? sendToImsic(q, { lo: addressLo, hi: addressHi, data: valueLo, size }, cpu)
        : false;
    case EDU:
      // The teaching device raises its interrupt when software writes here (hw/misc/edu.c); its region is one BAR of 1 MiB.
      return write && addressLo % EDU_BAR === EDU_RAISE && valueLo !== 0 ? eduRaises(q) : false;
    case DEBUGCON:
      if (write) markByte(q, valueLo);
      return false;
    case -1:
      return false;
    default:
      q.sizedConfig = true;
      if (write) thread.configSize = size <= 4 ? size : 0;
      else refineConfigRead(q, size, valueLo);
      return false;
  }
}

/** Bytes at the debug console that are kept: more is a text of firmware, not marks. */
const MOST_MARKS = 4096;

/** A byte at port 0xe9 (hw/char/debugcon.c). */
function markByte({ out: { source, time } }: Qemu, value: number): void {
  const bytes = (source.markBytes ??= []);
  if (bytes.length < MOST_MARKS) bytes.push({ value: value % 256, time, row: source.events.length - 1 });
}

/** A GICv2m frame answers: from here on the log shows what reads the messages. */
function frameSeen(q: Qemu, lo: number, hi: number): void {
  const frame = q.object('gic/0/frame/0');
  if (q.out.state.present(frame)) return;
  q.emit(gicFrameSeen.put().doorbell(lo, hi), frame);
}

/**
 * Whether a write to the first page of the window for messages, in a log that names no regions, is a message to a remapping unit and no
 * access of a register of the local APIC. Those stand at every 16th byte, and only processors (`cpu` from 0) have them. What a region
 * (`mr`, a text number; 0 not told) is, shows the first such write.
 */
function isOfUnit(q: Qemu, mr: number, lo: number, cpu: number): boolean {
  if (mr !== 0 && q.unitRegions.has(mr)) return true;
  if (cpu >= 0 && lo % 16 === 0) return false;
  if (mr !== 0) q.unitRegions.add(mr);
  return true;
}

/** Logs before QEMU 6.2 do not name regions: what an address is follows from the tables that are known. */
function guessRegion(q: Qemu, address: number): number {
  if (address >= 0xcfc && address <= 0xcff) return CONF_DATA!;
  if (isInterruptAddress(address)) return APIC_MSI!;
  if (q.pci.inKnownTable(address)) return TABLE!;
  if (q.pci.pbaAt(address) !== undefined) return PBA!;
  return -1;
}

function tableAccess(
  q: Qemu,
  entry: number,
  offset: number,
  size: number,
  lo: number,
  hi: number,
  write: boolean,
): void {
  const event = write ? tblWrite.put() : tblRead.put();
  q.emit(event.offset(offset).size(size).value(lo, hi), entry);
  q.pci.holders.note(entry);
}

function pbaAccess(q: Qemu, address: number, size: number, lo: number, hi: number, write: boolean): boolean {
  const place = q.pci.pbaAt(address);
  const event = write ? pbaWrite.put() : pbaRead.put();
  q.emit(
    event
      .first(place?.first ?? (address & 0xfff) * 8)
      .size(size)
      .value(lo, hi),
    place?.owner ?? q.object(`pba/0x${address.toString(16)}`),
  );
  return true;
}

export const memoryRules: readonly QemuRule[] = [
  { name: 'memory_region_ops_write', take: (q, start, end) => access(q, start, end, true), reads: readsAccess },
  { name: 'memory_region_ops_read', take: (q, start, end) => access(q, start, end, false), reads: readsAccess },
];
