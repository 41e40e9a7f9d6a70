import { bytesOf, QUOTE, Scanner, SPACE } from '../../base/bytes.ts';
import { gicFrameSeen } from '../../model/events/its.ts';
import { devRaise, intx, msgSend, pbaRead, pbaWrite, tblRead, tblWrite } from '../../model/events/msix.ts';
import { ENTRY_BYTES, pciRequester } from '../../model/registers/pci.ts';
import { isInterruptAddress } from '../../model/registers/x86.ts';
import { mention, msi } from '../../model/things/pci.ts';
import { entryObject, requesterObject } from '../objects.ts';
import { NameTable } from '../pattern.ts';
import { either } from '../rules.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';
import { refineConfigRead } from './pci.ts';

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
] as const;
const [TABLE, PBA, VTD_IR, APIC_MSI, AMDVI_IR, TRANSLATION, GICV2M, CONF_DATA] = REGIONS.keys();
const regions = new NameTable(REGIONS);
const NAME = bytesOf(" name '");
const CPU = bytesOf('cpu ');
const ADDR = bytesOf(' addr 0x');
const VALUE = bytesOf(' value 0x');
const SIZE = bytesOf(' size ');
const MR = bytesOf(' mr ');

const scanner = new Scanner();

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

/** An access of device memory, printed with its guest-physical address. */
function access(q: Qemu, start: number, end: number, write: boolean): boolean | null {
  const { thread } = q;
  const { buf } = q;
  let region = regionOf(buf, start, end);
  // "cpu N" tells which virtual CPU the thread runs; the rest is read only where it matters.
  scanner.on(buf, start, end);
  if (!scanner.literal(CPU) || !scanner.dec()) return null;
  const cpu = scanner.lo | 0;
  if (cpu >= 0) thread.vcpu = cpu;
  q.out.cpu = cpu;
  if (region === -1) return false;
  let mrStart = 0;
  let mrEnd = 0;
  if (scanner.literal(MR)) {
    mrStart = scanner.pos;
    while (scanner.pos < end && buf[scanner.pos] !== SPACE) scanner.pos++;
    mrEnd = scanner.pos;
  }
  if (!scanner.literal(ADDR) || !scanner.hex()) return null;
  const addressLo = scanner.lo;
  const addressHi = scanner.hi;
  if (!scanner.literal(VALUE) || !scanner.hex()) return null;
  const valueLo = scanner.lo;
  const valueHi = scanner.hi;
  if (!scanner.literal(SIZE) || !scanner.dec()) return null;
  const size = scanner.lo;
  const address = addressHi * 0x100000000 + addressLo;
  if (region === -2) region = guessRegion(q, address);
  switch (region) {
    case TABLE: {
      const mr = mrEnd > mrStart ? q.out.world.strings.text(q.out.world.strings.internBytes(buf, mrStart, mrEnd)) : '';
      tableAccess(q, q.pci.tables.entryAt(address, mr), addressLo % ENTRY_BYTES, size, valueLo, valueHi, write);
      return true;
    }
    case PBA:
      return pbaAccess(q, address, size, valueLo, valueHi, write);
    case VTD_IR:
    case AMDVI_IR:
    case GICV2M:
    case TRANSLATION:
      if (!write) return false;
      if (region === GICV2M) frameSeen(q, addressLo, addressHi);
      send(q, addressLo, addressHi, valueLo, size);
      return true;
    case APIC_MSI:
      // The same region serves the local APIC's registers: its first page, except register 0 (hw/intc/apic.c).
      if (!write || ((addressLo & 0xff000) === 0 && (addressLo & 0xff0) !== 0)) return false;
      send(q, addressLo, addressHi, valueLo, size);
      return true;
    case -1:
      return false;
    default:
      q.sizedConfig = true;
      if (write) thread.configSize = size <= 4 ? size : 0;
      else refineConfigRead(q, size, valueLo);
      return false;
  }
}

/** A GICv2m frame answers: from here on the log shows what reads the messages. */
function frameSeen(q: Qemu, lo: number, hi: number): void {
  const frame = q.object('gic/0/frame/0');
  if (q.out.state.present(frame)) return;
  q.emit(gicFrameSeen.put().doorbell(lo, hi), frame);
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

function send(q: Qemu, lo: number, hi: number, data: number, size: number): void {
  const { thread } = q;
  const { world } = q.out;
  // Behind an SMMU the entry holds the address before translation; the translation just before tells that and the sender.
  const translated = thread.smmuRequester >= 0 && thread.smmuOutput === lo;
  const requester = translated ? thread.smmuRequester & (2 ** pciRequester.width - 1) : -1;
  thread.smmuRequester = -1;
  const sender = translated ? requesterObject(world, requester) : -1;
  let holder = q.pci.holders.of(translated ? thread.smmuInput : lo, data, thread.raised, sender);
  if (holder < 0) holder = world.object(mention, `message/0x${lo.toString(16)}/0x${data.toString(16)}`);
  const event = msgSend.put().address(lo, hi).data(data).size(size);
  if (translated) event.requester(requester);
  q.emit(event, holder);
  thread.raised = -1;
}

/** The emulated device of a line that gives only the name of its model. */
function modelOf(q: Qemu, model: string): number {
  const only = q.pci.byName(model);
  return only >= 0 ? only : q.object(`device/${model}`);
}

function raise(q: Qemu, object: number, vector: number): void {
  const event = devRaise.put();
  if (vector >= 0) event.vector(vector);
  q.emit(event, object);
  q.thread.raised = object;
}

const raiseVector = (q: Qemu, model: string, vector: number): void => {
  const dev = modelOf(q, model);
  if (vector < 2048) raise(q, entryObject(q.out.world, dev, vector), vector);
  else raise(q, dev, vector);
};

const raiseMsi = (q: Qemu, model: string): void => {
  const dev = modelOf(q, model);
  raise(q, q.out.world.child(msi, dev, 'msi'), 0);
};

/** Intel NIC models share their code and their trace events; which one it is shows in the functions of the log. */
const nic = (q: Qemu): string => (q.pci.byName('e1000e') < 0 && q.pci.byName('igb') >= 0 ? 'igb' : 'e1000e');

const nvme = (name: string, verb: string): QemuRule =>
  rule(name, `${verb}…` as '…', (q) => {
    q.emit(intx.put(), modelOf(q, 'nvme'));
  });

export const memoryRules: readonly QemuRule[] = [
  { name: 'memory_region_ops_write', take: (q, start, end) => access(q, start, end, true) },
  { name: 'memory_region_ops_read', take: (q, start, end) => access(q, start, end, false) },
  rule('pci_nvme_irq_msix', 'raising MSI-X IRQ vector {vector:u}', (q, c, s) =>
    raiseVector(q, 'nvme', c.lo[s.vector]!),
  ),
  rule('nvme_irq_msix', 'raising MSI-X IRQ vector {vector:u}', (q, c, s) => raiseVector(q, 'nvme', c.lo[s.vector]!)),
  either(nvme('pci_nvme_irq_pin', 'pulsing IRQ pin'), nvme('pci_nvme_irq_pin', 'asserting IRQ pin')),
  nvme('nvme_irq_pin', 'pulsing IRQ pin'),
  rule('pci_nvme_irq_masked', 'IRQ is masked', () => false),
  rule('nvme_irq_masked', 'IRQ is masked', () => false),
  rule('e1000e_irq_msix_notify_vec', 'MSI-X notify vector {vector:x}', (q, c, s) =>
    raiseVector(q, nic(q), c.lo[s.vector]!),
  ),
  rule('e1000e_irq_msix_notify_postponed_vec', 'Sending MSI-X postponed by EITR[{vector:u}]', (q, c, s) =>
    raiseVector(q, nic(q), c.lo[s.vector]!),
  ),
  rule('e1000e_irq_msi_notify', 'MSI notify {causes:x}', (q) => raiseMsi(q, nic(q))),
  rule('e1000e_irq_msi_notify_postponed', 'Sending MSI postponed by ITR', (q) => raiseMsi(q, nic(q))),
  rule('virtio_notify', 'vdev {vdev:w} vq {vq:w}', (q, _c, s) => raise(q, q.object(`virtio/${q.text(s.vdev)}`), -1)),
  rule('virtio_notify_irqfd', 'vdev {vdev:w} vq {vq:w}', (q, _c, s) =>
    raise(q, q.object(`virtio/${q.text(s.vdev)}`), -1),
  ),
  rule('virtio_notify_irqfd_deferred_fn', 'vdev {vdev:w} vq {vq:w}', () => false),
  rule('virtio_pci_notify', '«virtio_pci_notify »vec {vec:x}', (q, c, s) =>
    raise(q, q.object('virtio/pci'), c.lo[s.vec]!),
  ),
];
