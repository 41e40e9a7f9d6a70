/**
 * Interrupt causes that device models report (trace-events of hw/nvme, hw/net, hw/usb, hw/scsi, hw/ide, hw/ufs and hw/virtio;
 * QEMU 2.x to 10.2). The records name no function: it is the only one of that model.
 */
import { devRaise, devUse, devWithdraw, intx } from '../../model/events/msix.ts';
import { MSIX_ENTRIES, msiControl } from '../../model/registers/pci.ts';
import { msi } from '../../model/things/pci.ts';
import { entryObject } from '../objects.ts';
import { either } from '../rules.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';

/** Models that share their code and its events; the first stands for all where the log shows none of them. */
const XHCI = ['xhci', 'qemu-xhci', 'nec-usb-xhci'] as const;
const EHCI = ['ehci', 'usb-ehci', 'ich9-usb-ehci1', 'ich9-usb-ehci2'] as const;
const NIC = ['e1000e', 'igb'] as const;
const NVME = ['nvme'] as const;
const MEGASAS = ['megasas', 'megasas-gen2'] as const;
const MPTSAS = ['mptsas1068'] as const;
const PVSCSI = ['pvscsi'] as const;
const LSI = ['lsi53c895a', 'lsi53c810', 'lsi'] as const;
const ESP = ['esp', 'am53c974', 'dc390'] as const;
const AHCI = ['ich9-ahci', 'ahci'] as const;
const UFS = ['ufs'] as const;
const TULIP = ['tulip'] as const;
const SII = ['sii3112'] as const;
const EDU = ['edu'] as const;

type Models = readonly [string, ...string[]];

/** The emulated device of a record that tells no more than what kind of model it is. */
function modelOf(q: Qemu, models: Models): number {
  let found = -1;
  for (const model of models) {
    const only = q.pci.byName(model);
    if (only < 0) continue;
    if (found >= 0) return q.object(`device/${models[0]}`);
    found = only;
  }
  if (found >= 0) return found;
  const named = models.filter((model) => q.models.has(model) || q.pci.named(model).length > 0);
  return q.object(`device/${named.length === 1 ? named[0]! : models[0]}`);
}

function raise(q: Qemu, object: number, vector: number, eventfd = false): void {
  const event = devRaise.put();
  if (vector >= 0) event.vector(vector);
  if (eventfd) event.eventfd(true);
  q.emit(event, object);
  q.thread.raised = object;
}

function raiseVector(q: Qemu, models: Models, vector: number): void {
  const dev = modelOf(q, models);
  if (vector < MSIX_ENTRIES) raise(q, entryObject(q.out.world, dev, vector), vector);
  else raise(q, dev, vector);
}

function raiseMsi(q: Qemu, models: Models, vector: number): void {
  raise(q, q.out.world.child(msi, modelOf(q, models), 'msi'), vector);
}

/** The level that a device drives on its pin; undefined: the record tells of a pulse. */
function line(q: Qemu, models: Models, level: boolean | undefined): void {
  const event = intx.put();
  if (level !== undefined) event.level(level);
  q.emit(event, modelOf(q, models));
}

/** Whether MSI of the model is on; undefined while not known. */
function msiOn(q: Qemu, models: Models): boolean | undefined {
  const { world, state } = q.out;
  const cap = world.node(modelOf(q, models))?.children.get('msi')?.object ?? -1;
  return state.present(cap) ? msiControl.f.enable.flag(state, cap, msi.at.control) : undefined;
}

/** The model raises its interrupt without telling how: by MSI where that is known to be on, else by its pin. */
function msiOrLine(q: Qemu, models: Models, level: boolean): false | undefined {
  const on = msiOn(q, models);
  if (on !== true) line(q, models, level);
  else if (level) raiseMsi(q, models, 0);
  else return false;
  return undefined;
}

/** The teaching device was told to raise its interrupt; whether that became an event. */
export const eduRaises = (q: Qemu): boolean => msiOrLine(q, EDU, true) !== false;

function use(q: Qemu, models: Models, vector: number, used: boolean): false | undefined {
  if (vector >= MSIX_ENTRIES) return false;
  q.emit(devUse.put().used(used), entryObject(q.out.world, modelOf(q, models), vector));
  return undefined;
}

const vectorRule = (name: string, models: Models): QemuRule =>
  rule(name, 'vector {vector:u}', (q, c, s) => raiseVector(q, models, c.lo[s.vector]!));

const pin = (name: string, format: string, models: Models, level: boolean | undefined): QemuRule =>
  rule(name, format, (q) => line(q, models, level));

/** A virtio device has used buffers of a queue: the record names both by their pointers, and no vector. */
const virtio = (name: string, eventfd: boolean): QemuRule =>
  rule(name, 'vdev {vdev:w} vq {vq:w}', (q, _c, s) =>
    raise(q, q.object(`virtio/${q.text(s.vdev)}/${q.text(s.vq)}`), -1, eventfd),
  );

export const modelRules: readonly QemuRule[] = [
  ...['pci_nvme_irq_msix', 'nvme_irq_msix'].map((name) =>
    rule(name, 'raising MSI-X IRQ vector {vector:u}', (q, c, s) => raiseVector(q, NVME, c.lo[s.vector]!)),
  ),
  either(
    pin('pci_nvme_irq_pin', 'pulsing IRQ pin…', NVME, undefined),
    pin('pci_nvme_irq_pin', 'asserting IRQ pin…', NVME, undefined),
  ),
  pin('nvme_irq_pin', 'pulsing IRQ pin…', NVME, undefined),
  rule('pci_nvme_irq_masked', 'IRQ is masked', () => false),
  rule('nvme_irq_masked', 'IRQ is masked', () => false),

  rule('e1000e_irq_msix_notify_vec', 'MSI-X notify vector {vector:x}', (q, c, s) =>
    raiseVector(q, NIC, c.lo[s.vector]!),
  ),
  rule('e1000e_irq_msix_notify_postponed_vec', 'Sending MSI-X postponed by EITR[{vector:u}]', (q, c, s) =>
    raiseVector(q, NIC, c.lo[s.vector]!),
  ),
  rule('e1000e_irq_msi_notify', 'MSI notify {causes:x}', (q) => raiseMsi(q, NIC, 0)),
  rule('e1000e_irq_msi_notify_postponed', 'Sending MSI postponed by ITR', (q) => raiseMsi(q, NIC, 0)),
  rule('e1000e_irq_legacy_notify', 'IRQ line state: {level:u}', (q, c, s) => line(q, NIC, c.lo[s.level] !== 0)),
  pin('e1000e_irq_legacy_notify_postponed', 'Raising legacy IRQ postponed by ITR', NIC, true),
  rule(
    'e1000e_irq_msix_pending_clearing',
    'Clearing MSI-X pending bit for cause {cause:x}, IVAR config {config:x}, vector {vector:u}',
    (q, c, s) => {
      const vector = c.lo[s.vector]!;
      if (vector >= MSIX_ENTRIES) return false;
      q.emit(devWithdraw.put(), entryObject(q.out.world, modelOf(q, NIC), vector));
      return undefined;
    },
  ),

  rule('usb_xhci_irq_msix', 'nr {nr:u}', (q, c, s) => raiseVector(q, XHCI, c.lo[s.nr]!)),
  rule('usb_xhci_irq_msi', 'nr {nr:u}', (q, c, s) => raiseMsi(q, XHCI, c.lo[s.nr]!)),
  rule('usb_xhci_irq_intx', 'level {level:u}', (q, c, s) => line(q, XHCI, c.lo[s.level] !== 0)),
  rule('usb_xhci_irq_msix_use', 'nr {nr:u}', (q, c, s) => use(q, XHCI, c.lo[s.nr]!, true)),
  rule('usb_xhci_irq_msix_unuse', 'nr {nr:u}', (q, c, s) => use(q, XHCI, c.lo[s.nr]!, false)),
  rule('usb_ehci_irq', 'level {level:u}, frindex…', (q, c, s) => line(q, EHCI, c.lo[s.level] !== 0)),

  vectorRule('megasas_msix_raise', MEGASAS),
  rule('megasas_msi_raise', 'vector {vector:u}', (q, c, s) => raiseMsi(q, MEGASAS, c.lo[s.vector]!)),
  pin('megasas_irq_raise', 'INTx', MEGASAS, true),
  pin('megasas_irq_lower', 'INTx', MEGASAS, false),
  rule('megasas_msix_enabled', 'vector {vector:u}', () => false),
  rule('megasas_msi_enabled', 'vector {vector:u}', () => false),
  rule('mptsas_irq_msi', 'dev {dev:w}', (q) => raiseMsi(q, MPTSAS, 0)),
  rule('mptsas_irq_intx', 'dev {dev:w} level {level:u}', (q, c, s) => line(q, MPTSAS, c.lo[s.level] !== 0)),
  rule('pvscsi_update_irq_msi', 'sending MSI notification', (q) => raiseMsi(q, PVSCSI, 0)),
  // It is printed before the model looks whether MSI is on; then `pvscsi_update_irq_msi` follows, and the line stays as it is.
  rule('pvscsi_update_irq_level', 'interrupt level set to {level:u} (MASK…', (q, c, s) =>
    msiOn(q, PVSCSI) === true ? false : line(q, PVSCSI, c.lo[s.level] !== 0),
  ),
  rule('lsi_update_irq', 'Update IRQ level {level:u} dstat…', (q, c, s) => line(q, LSI, c.lo[s.level] !== 0)),
  pin('esp_raise_irq', 'Raise IRQ', ESP, true),
  pin('esp_lower_irq', 'Lower IRQ', ESP, false),
  rule('ahci_irq_raise', 'ahci({ahci:s}): raise irq', (q) => msiOrLine(q, AHCI, true)),
  rule('ahci_irq_lower', 'ahci({ahci:s}): lower irq', (q) => msiOrLine(q, AHCI, false)),
  rule('sii3112_set_irq', 'channel {channel:u} level {level:u}', (q, c, s) => line(q, SII, c.lo[s.level] !== 0)),
  either(
    pin('tulip_irq', 'mask {mask:x} ie {enabled:x} assert', TULIP, true),
    pin('tulip_irq', 'mask {mask:x} ie {enabled:x} deassert', TULIP, false),
  ),
  pin('ufs_irq_raise', 'INTx', UFS, true),
  pin('ufs_irq_lower', 'INTx', UFS, false),

  virtio('virtio_notify', false),
  virtio('virtio_notify_irqfd', true),
  rule('virtio_notify_irqfd_deferred_fn', 'vdev {vdev:w} vq {vq:w}', () => false),
  rule('virtio_pci_notify', '«virtio_pci_notify »vec {vec:x}', (q, c, s) =>
    raise(q, q.object('virtio/pci'), c.lo[s.vec]!),
  ),
];
