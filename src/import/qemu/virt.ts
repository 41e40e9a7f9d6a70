import { hex64 } from '../../base/hex.ts';
import { vcpuTake } from '../../model/events/apic.ts';
import { ioasMapped, ioasUnmapped } from '../../model/events/iommufd.ts';
import { irFault } from '../../model/events/remap.ts';
import { vfioFire, vfioIntx, vfioMode, vfioPba, vfioRegion, vfioRoute, vfioUse } from '../../model/events/vfio.ts';
import { irqfdWakeup, kvmIoctl, routeCommit, routeRelease, routeSet, routeUpdate } from '../../model/events/virt.ts';
import { MSIX_ENTRIES, msiControl, msixControl } from '../../model/registers/pci.ts';
import { msi, msixCap } from '../../model/things/pci.ts';
import { remapUnit } from '../../model/things/remap.ts';
import { vfioDevice } from '../../model/things/virt.ts';
import { entryObject, vcpuVectorObject } from '../objects.ts';
import type { Captures } from '../pattern.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';
import { vfioObject } from './vfioconfig.ts';

/** VFIO interrupt indices (include/uapi/linux/vfio.h). */
const VFIO_MSI = 1;
const VFIO_MSIX = 2;
/** Vectors of MSI. */
const MOST_MSI = 32;

/** The log is of one virtual machine. */
const VM = 'kvm/0';

const route = (q: Qemu, gsi: number): number => q.object(`${VM}/route/${gsi}`);
const vfioVector = (q: Qemu, host: string, index: number, vector: number): number =>
  q.object(`vfio/${host}/${index}/${vector}`);

/** VFIO vectors by the GSI that their irqfd injects. */
const owners = new WeakMap<Qemu, Map<number, number>>();
function ownersOf(q: Qemu): Map<number, number> {
  let known = owners.get(q);
  if (known === undefined) owners.set(q, (known = new Map()));
  return known;
}

/**
 * Whether a route that was added for no vector that QEMU began to use is one of MSI: the function has MSI on, or the log tells such
 * uses, and MSI-X is not known to be on.
 */
function isMsi(q: Qemu, device: number): boolean {
  const { world, state } = q.out;
  const below = (name: string): number => world.node(device)?.children.get(name)?.object ?? -1;
  const [capability, cap] = [below('msi'), below('msixcap')];
  if (state.present(capability) && msiControl.f.enable.flag(state, capability, msi.at.control) === true) return true;
  const on = state.present(cap) ? msixControl.f.enable.flag(state, cap, msixCap.at.control) : undefined;
  return q.tellsUses && on !== true;
}

/** The irqfd of a vector injects a GSI. */
function tie(q: Qemu, vector: number, virq: number): void {
  q.emit(vfioRoute.put().virq(virq), vector);
  ownersOf(q).set(virq, vector);
}

/**
 * MSI of a device was enabled: the routes that the thread added just before, for vectors 0 to `vectors` - 1, are those of its vectors
 * (vfio_msi_enable, hw/vfio/pci.c). A log that began later does not tell them.
 */
function msiEnabled(q: Qemu, dev: string, vectors: number): void {
  const { msiRoutes } = q.thread;
  for (const { vector, virq } of msiRoutes) if (vector < vectors) tie(q, vfioVector(q, dev, VFIO_MSI, vector), virq);
  msiRoutes.length = 0;
}

/**
 * The guest masked or unmasked an entry of an assigned device. The emulated table tells QEMU at once, in the write to Vector Control
 * (msix_handle_mask_update, hw/pci/msix.c): a write just before, on the same thread, was to the entry of that vector.
 */
function use(q: Qemu, c: Captures, s: { readonly dev: number; readonly vector: number }, used: boolean): void {
  const host = q.text(s.dev);
  const index = c.lo[s.vector]!;
  const object = vfioVector(q, host, VFIO_MSIX, index);
  const { control, records } = q.thread;
  if (control.record === records - 1 && index < MSIX_ENTRIES)
    q.pci.entryOfVfio(host, { address: control.address, region: control.region, index });
  q.tellsUses ||= used;
  q.emit(vfioUse.put().used(used), object);
  q.thread.vfioVector = used ? object : -1;
  q.thread.vfioRecord = records;
}

function mode(q: Qemu, dev: string, what: string, enabled: boolean, vectors: number): void {
  const { world } = q.out;
  const event = vfioMode.put().mode(world.strings.intern(what)).enabled(enabled);
  if (vectors >= 0) event.vectors(vectors);
  q.emit(event, vfioObject(q, dev));
}

const modeRule = (name: string, what: string, enabled: boolean): QemuRule =>
  rule(name, '« »({dev:s}){rest:r}', (q, _c, s) => mode(q, q.text(s.dev), what, enabled, -1));

const intxRule = (name: string, what: string): QemuRule =>
  rule(name, '« »({dev:s}){rest:r}', (q, _c, s) => {
    const object = vfioObject(q, q.text(s.dev));
    q.emit(vfioIntx.put().what(q.intern(what)), object);
  });

function pba(q: Qemu, dev: string, trapped: boolean): void {
  q.emit(vfioPba.put().trapped(trapped), vfioObject(q, dev));
}

/** Device models of assigned devices: `vfio-pci`, `vfio-pci-nohotplug`. */
const isVfio = (model: string): boolean => model.startsWith('vfio-');

/**
 * The function, as the guest sees it, whose vector a route is for, and its printed name. `used`: the vector of VFIO that the route was
 * added for; -1 another.
 */
function routeDevice(q: Qemu, model: string, used: number): { device: number; name: string } {
  const { world } = q.out;
  if (used >= 0) {
    const host = world.path(used).split('/')[1]!;
    const guest = q.pci.guestOf(host);
    if (guest >= 0) return { device: guest, name: world.path(guest).replace('device/', '') };
    return { device: -1, name: host };
  }
  const only = q.pci.byName(model);
  return only >= 0 ? { device: only, name: world.path(only).replace('device/', '') } : { device: -1, name: model };
}

function region(
  q: Qemu,
  c: Captures,
  s: {
    readonly dev: number;
    readonly region: number;
    readonly offset: number;
    readonly value: number;
    readonly size: number;
  },
  write: boolean,
): void {
  q.emit(
    vfioRegion
      .put()
      .write(write)
      .region(c.lo[s.region]!)
      .offset(c.lo[s.offset]!, c.hi[s.offset]!)
      .value(c.lo[s.value]!, c.hi[s.value]!)
      .size(c.lo[s.size]!),
    vfioObject(q, q.text(s.dev)),
  );
}

/** A mapping of an I/O address space: `iommufd/<fd>/ioas/<n>/map/<iova>`. */
function mapping(
  q: Qemu,
  c: Captures,
  s: { readonly fd: number; readonly ioas: number; readonly iova: number },
): number {
  return q.object(`iommufd/${c.lo[s.fd]! | 0}/ioas/${c.lo[s.ioas]!}/map/${hex64(c.hi[s.iova]!, c.lo[s.iova]!)}`);
}

/** Calls into a VM that are about its interrupts, by request number (include/uapi/linux/kvm.h; x86, Arm and RISC-V). */
const IOCTLS: ReadonlyMap<number, string> = new Map([
  [0x0000ae60, 'KVM_CREATE_IRQCHIP'],
  [0x4008ae61, 'KVM_IRQ_LINE'],
  [0xc208ae62, 'KVM_GET_IRQCHIP'],
  [0x8208ae63, 'KVM_SET_IRQCHIP'],
  [0xc008ae67, 'KVM_IRQ_LINE_STATUS'],
  [0x4008ae6a, 'KVM_SET_GSI_ROUTING'],
  [0x4020ae76, 'KVM_IRQFD'],
  [0x4040ae79, 'KVM_IOEVENTFD'],
  [0x4020aea5, 'KVM_SIGNAL_MSI'],
]);

export const virtRules: readonly QemuRule[] = [
  rule('kvm_vm_ioctl', 'type {type:x}, arg {arg:w}', (q, c, s) => {
    const name = IOCTLS.get(c.lo[s.type]!);
    if (name === undefined) return false;
    q.emit(kvmIoctl.put().name(q.intern(name)), q.object(VM));
    return undefined;
  }),
  rule('riscv_trap', 'hart:{hart:u}, async:{async:u}, cause:{cause:u}, epc:…', (q, c, s) => {
    const [hart, cause] = [c.lo[s.hart]!, c.lo[s.cause]!];
    if (c.lo[s.async] === 0 || hart >= 0x8000 || cause >= 0x10000) return false;
    q.out.cpu = hart;
    q.emit(vcpuTake.put(), vcpuVectorObject(q.out.world, hart, cause));
    return undefined;
  }),
  rule('vfio_msix_vector_do_use', '« »({dev:s}) vector {vector:u} used', (q, c, s) => use(q, c, s, true)),
  rule('vfio_msix_vector_release', '« »({dev:s}) vector {vector:u} released', (q, c, s) => use(q, c, s, false)),
  modeRule('vfio_msix_enable', 'msix', true),
  modeRule('vfio_msix_disable', 'msix', false),
  rule('vfio_msi_enable', '« »({dev:s}) Enabled {vectors:u} MSI vectors', (q, c, s) => {
    const dev = q.text(s.dev);
    const vectors = c.lo[s.vectors]!;
    mode(q, dev, 'msi', true, vectors);
    msiEnabled(q, dev, vectors);
  }),
  modeRule('vfio_msi_disable', 'msi', false),
  modeRule('vfio_intx_enable', 'intx', true),
  modeRule('vfio_intx_disable', 'intx', false),
  intxRule('vfio_intx_enable_kvm', 'KVM acceleration on'),
  intxRule('vfio_intx_disable_kvm', 'KVM acceleration off'),
  intxRule('vfio_intx_eoi', 'EOI'),
  intxRule('vfio_pci_intx_eoi', 'EOI'),
  intxRule('vfio_intx_update', 'moved'),
  rule('vfio_intx_interrupt', '« »({dev:s}) Pin {pin:w}', (q, _c, s) => {
    const object = vfioObject(q, q.text(s.dev));
    q.emit(vfioIntx.put().what(q.intern('asserted')).pin(q.str(s.pin)), object);
  }),
  rule('vfio_msix_pba_enable', '« »({dev:s})', (q, _c, s) => pba(q, q.text(s.dev), true)),
  rule('vfio_msix_pba_disable', '« »({dev:s})', (q, _c, s) => pba(q, q.text(s.dev), false)),
  rule('vfio_msi_interrupt', '« »({dev:s}) vector {vector:u} {address:x}/{data:x}', (q, c, s) => {
    const host = q.object(`vfio/${q.text(s.dev)}`);
    const msiOnly = q.out.state.flag(host, vfioDevice.at.msi) === true;
    q.emit(
      vfioFire.put().address(c.lo[s.address]!, c.hi[s.address]!).data(c.lo[s.data]!),
      vfioVector(q, q.text(s.dev), msiOnly ? VFIO_MSI : VFIO_MSIX, c.lo[s.vector]!),
    );
  }),
  rule('vfio_msix_fixup', '{rest:r}', () => false),
  rule('vfio_msix_relo', '{rest:r}', () => false),
  rule('vfio_region_write', '« »({dev:s}:region{region:u}+{offset:x}, {value:x}, {size:u})', (q, c, s) =>
    region(q, c, s, true),
  ),
  rule('vfio_region_read', '« »({dev:s}:region{region:u}+{offset:x}, {size:u}) = {value:x}', (q, c, s) =>
    region(q, c, s, false),
  ),
  rule('vfio_user_set_irqs', '{rest:r}', () => false),
  rule(
    'iommufd_backend_map_dma',
    '« »iommufd={fd:d} ioas={ioas:u} iova={iova:x} size={size:x} addr={address:x} readonly={readonly:u} ({ret:d})',
    (q, c, s) => {
      q.emit(
        ioasMapped
          .put()
          .output(c.lo[s.address]!, c.hi[s.address]!)
          .size(c.lo[s.size]!, c.hi[s.size]!)
          .ret(c.lo[s.ret]!),
        mapping(q, c, s),
      );
    },
  ),
  rule(
    'iommufd_backend_unmap_dma',
    '« »iommufd={fd:d} ioas={ioas:u} iova={iova:x} size={size:x} ({ret:d})',
    (q, c, s) => {
      if (c.lo[s.ret] !== 0) return false;
      q.emit(ioasUnmapped.put(), mapping(q, c, s));
      return undefined;
    },
  ),
  rule('kvm_irqchip_add_msi_route', 'dev {dev:s} vector {vector:u} virq {virq:u}', (q, c, s) => {
    const vector = c.lo[s.vector]!;
    const virq = c.lo[s.virq]!;
    const model = q.text(s.dev);
    const { thread } = q;
    const { vfioVector: last } = thread;
    // QEMU adds the route of an MSI-X vector as it begins to use it (vfio_msix_vector_do_use); other devices have theirs.
    const used = isVfio(model) && last >= 0 && q.out.world.path(last).endsWith(`/${vector}`) ? last : -1;
    const { device, name } = routeDevice(q, model, used);
    const event = routeSet.put().device(q.intern(name)).vector(vector);
    const unused = isVfio(model) && used < 0;
    if (device >= 0 && vector < MSIX_ENTRIES && !(unused && isMsi(q, device)))
      event.entry(entryObject(q.out.world, device, vector));
    q.emit(event, route(q, virq));
    if (used >= 0) tie(q, used, virq);
    if (unused) {
      // Each try begins with vector 0, and MSI has 32 vectors at most.
      if (vector === 0 || thread.msiRoutes.length === MOST_MSI) thread.msiRoutes.length = 0;
      thread.msiRoutes.push({ vector, virq });
    }
    thread.vfioVector = -1;
  }),
  rule('kvm_irqchip_update_msi_route', 'Updating MSI route virq={virq:u}', (q, c, s) => {
    const virq = c.lo[s.virq]!;
    const { vfioVector: used, vfioRecord, records } = q.thread;
    // A vector that has a route already is used again: its route is written first (vfio_msix_vector_do_use, hw/vfio/pci.c).
    if (used >= 0 && vfioRecord === records - 1) {
      const before = ownersOf(q).get(virq);
      if (before !== used) {
        if (before !== undefined) q.emit(vfioRoute.put(), before);
        tie(q, used, virq);
      }
      q.thread.vfioVector = -1;
    }
    q.emit(routeUpdate.put(), route(q, virq));
  }),
  rule('kvm_irqchip_release_virq', 'virq {virq:u}', (q, c, s) => {
    const virq = c.lo[s.virq]!;
    q.emit(routeRelease.put(), route(q, virq));
    const used = ownersOf(q).get(virq);
    if (used !== undefined) {
      q.emit(vfioRoute.put(), used);
      ownersOf(q).delete(virq);
    }
  }),
  rule('kvm_irqchip_commit_routes', '', (q) => q.emit(routeCommit.put(), q.object(VM))),
  rule('kvm_x86_add_msi_route', '{rest:r}', () => false),
  rule('kvm_x86_remove_msi_route', '{rest:r}', () => false),
  rule('kvm_x86_update_msi_routes', '{rest:r}', () => false),
  rule('kvm_x86_fixup_msi_error', 'VT-d failed to remap interrupt for GSI {gsi:u}', (q, c, s) => {
    q.emit(
      irFault.put().text(q.intern(`the vIOMMU could not remap the message of GSI ${c.lo[s.gsi]!}`)),
      q.out.world.object(remapUnit, 'irte/0'),
    );
  }),
  rule('kvm_resample_fd_notify', 'gsi {gsi:u}', (q, c, s) =>
    q.emit(irqfdWakeup.put(), q.object(`${VM}/irqfd/${c.lo[s.gsi]!}`)),
  ),
];
