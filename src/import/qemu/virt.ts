import { hex64 } from '../../base/hex.ts';
import { apicDeliver, apicEoi, apicLocal } from '../../model/events/apic.ts';
import { lineSet } from '../../model/events/cpu.ts';
import { ioasMapped, ioasUnmapped } from '../../model/events/iommufd.ts';
import { irFault } from '../../model/events/remap.ts';
import { vfioFire, vfioIntx, vfioMode, vfioPba, vfioRegion, vfioRoute, vfioUse } from '../../model/events/vfio.ts';
import { irqfdWakeup, routeCommit, routeRelease, routeSet, routeUpdate } from '../../model/events/virt.ts';
import { pin } from '../../model/things/irq.ts';
import { remapUnit } from '../../model/things/remap.ts';
import { vfioDevice } from '../../model/things/virt.ts';
import { entryObject, vcpuObject, vcpuVectorObject } from '../objects.ts';
import type { Captures } from '../pattern.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';
import { vfioObject } from './pci.ts';

/** VFIO interrupt indices (include/uapi/linux/vfio.h). */
const VFIO_MSI = 1;
const VFIO_MSIX = 2;

/** Local APIC register of the end of interrupt: offset 0xb0, register 0x0b. */
const EOI = 0xb0;

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

function use(q: Qemu, c: Captures, s: { readonly dev: number; readonly vector: number }, used: boolean): void {
  const object = vfioVector(q, q.text(s.dev), VFIO_MSIX, c.lo[s.vector]!);
  q.out.words[vfioUse.at.used] = used ? 1 : 0;
  q.emit(vfioUse, object);
  q.thread.vfioVector = used ? object : -1;
}

function mode(q: Qemu, dev: string, what: string, enabled: boolean, vectors: number): void {
  const { words: w, world } = q.out;
  w[0] = vectors >= 0 ? vfioMode.bit.vectors : 0;
  w[vfioMode.at.mode] = world.strings.intern(what);
  w[vfioMode.at.enabled] = enabled ? 1 : 0;
  w[vfioMode.at.vectors] = Math.max(0, vectors);
  q.emit(vfioMode, vfioObject(q, dev));
}

const modeRule = (name: string, what: string, enabled: boolean): QemuRule =>
  rule(name, ' ({dev:s}){rest:r}', (q, _c, s) => mode(q, q.text(s.dev), what, enabled, -1));

const intxRule = (name: string, what: string): QemuRule =>
  rule(name, ' ({dev:s}){rest:r}', (q, _c, s, w) => {
    const object = vfioObject(q, q.text(s.dev));
    w[0] = 0;
    w[vfioIntx.at.what] = q.out.world.strings.intern(what);
    q.emit(vfioIntx, object);
  });

function pba(q: Qemu, dev: string, trapped: boolean): void {
  q.out.words[vfioPba.at.trapped] = trapped ? 1 : 0;
  q.emit(vfioPba, vfioObject(q, dev));
}

/** The function, as the guest sees it, whose vector a route is for, and its printed name. */
function routeDevice(q: Qemu, model: string): { device: number; name: string } {
  const { world } = q.out;
  const { vfioVector: used } = q.thread;
  if (used >= 0) {
    const host = world.path(used).split('/')[1]!;
    const guest = q.pci.guestOf(host);
    if (guest >= 0) return { device: guest, name: world.path(guest).replace('device/', '') };
    return { device: -1, name: host };
  }
  const only = q.pci.byName(model);
  return only >= 0 ? { device: only, name: world.path(only).replace('device/', '') } : { device: -1, name: model };
}

function eoi(q: Qemu): false | undefined {
  if (q.thread.vcpu < 0) return false;
  q.out.cpu = q.thread.vcpu;
  q.emit(apicEoi, vcpuObject(q.out.world, q.thread.vcpu));
  return undefined;
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
  const { words: w } = q.out;
  w[vfioRegion.at.write] = write ? 1 : 0;
  w[vfioRegion.at.region] = c.lo[s.region]!;
  w[vfioRegion.at.offset] = c.lo[s.offset]!;
  w[vfioRegion.at.offset + 1] = c.hi[s.offset]!;
  w[vfioRegion.at.value] = c.lo[s.value]!;
  w[vfioRegion.at.value + 1] = c.hi[s.value]!;
  w[vfioRegion.at.size] = c.lo[s.size]!;
  q.emit(vfioRegion, vfioObject(q, q.text(s.dev)));
}

/** A mapping of an I/O address space: `iommufd/<fd>/ioas/<n>/map/<iova>`. */
function mapping(
  q: Qemu,
  c: Captures,
  s: { readonly fd: number; readonly ioas: number; readonly iova: number },
): number {
  return q.object(`iommufd/${c.lo[s.fd]! | 0}/ioas/${c.lo[s.ioas]!}/map/${hex64(c.hi[s.iova]!, c.lo[s.iova]!)}`);
}

export const virtRules: readonly QemuRule[] = [
  rule('vfio_msix_vector_do_use', ' ({dev:s}) vector {vector:u} used', (q, c, s) => use(q, c, s, true)),
  rule('vfio_msix_vector_release', ' ({dev:s}) vector {vector:u} released', (q, c, s) => use(q, c, s, false)),
  modeRule('vfio_msix_enable', 'msix', true),
  modeRule('vfio_msix_disable', 'msix', false),
  rule('vfio_msi_enable', ' ({dev:s}) Enabled {vectors:u} MSI vectors', (q, c, s) =>
    mode(q, q.text(s.dev), 'msi', true, c.lo[s.vectors]!),
  ),
  modeRule('vfio_msi_disable', 'msi', false),
  modeRule('vfio_intx_enable', 'intx', true),
  modeRule('vfio_intx_disable', 'intx', false),
  intxRule('vfio_intx_enable_kvm', 'KVM acceleration on'),
  intxRule('vfio_intx_disable_kvm', 'KVM acceleration off'),
  intxRule('vfio_intx_eoi', 'EOI'),
  intxRule('vfio_pci_intx_eoi', 'EOI'),
  intxRule('vfio_intx_update', 'moved'),
  rule('vfio_intx_interrupt', ' ({dev:s}) Pin {pin:w}', (q, _c, s, w) => {
    const object = vfioObject(q, q.text(s.dev));
    w[0] = vfioIntx.bit.pin;
    w[vfioIntx.at.what] = q.out.world.strings.intern('asserted');
    w[vfioIntx.at.pin] = q.str(s.pin);
    q.emit(vfioIntx, object);
  }),
  rule('vfio_msix_pba_enable', ' ({dev:s})', (q, _c, s) => pba(q, q.text(s.dev), true)),
  rule('vfio_msix_pba_disable', ' ({dev:s})', (q, _c, s) => pba(q, q.text(s.dev), false)),
  rule('vfio_msi_interrupt', ' ({dev:s}) vector {vector:u} {address:x}/{data:x}', (q, c, s, w) => {
    w[0] = vfioFire.bit.address | vfioFire.bit.data;
    w[vfioFire.at.address] = c.lo[s.address]!;
    w[vfioFire.at.address + 1] = c.hi[s.address]!;
    w[vfioFire.at.data] = c.lo[s.data]!;
    const host = q.object(`vfio/${q.text(s.dev)}`);
    const msiOnly = q.out.state.flag(host, vfioDevice.at.msi) === true;
    q.emit(vfioFire, vfioVector(q, q.text(s.dev), msiOnly ? VFIO_MSI : VFIO_MSIX, c.lo[s.vector]!));
  }),
  rule('vfio_msi_setup', '{rest:r}', () => false),
  rule('vfio_msix_fixup', '{rest:r}', () => false),
  rule('vfio_msix_relo', '{rest:r}', () => false),
  rule('vfio_region_write', ' ({dev:s}:region{region:u}+{offset:x}, {value:x}, {size:u})', (q, c, s) =>
    region(q, c, s, true),
  ),
  rule('vfio_region_read', ' ({dev:s}:region{region:u}+{offset:x}, {size:u}) = {value:x}', (q, c, s) =>
    region(q, c, s, false),
  ),
  rule('vfio_user_set_irqs', '{rest:r}', () => false),
  rule(
    'iommufd_backend_map_dma',
    ' iommufd={fd:d} ioas={ioas:u} iova={iova:x} size={size:x} addr={address:x} readonly={readonly:u} ({ret:d})',
    (q, c, s, w) => {
      const { at } = ioasMapped;
      for (const [slot, word] of [
        [s.address, at.output],
        [s.size, at.size],
      ] as const) {
        w[word] = c.lo[slot]!;
        w[word + 1] = c.hi[slot]!;
      }
      w[at.ret] = c.lo[s.ret]!;
      q.emit(ioasMapped, mapping(q, c, s));
    },
  ),
  rule(
    'iommufd_backend_unmap_dma',
    ' iommufd={fd:d} ioas={ioas:u} iova={iova:x} size={size:x} ({ret:d})',
    (q, c, s, w) => {
      if (c.lo[s.ret] !== 0) return false;
      w[0] = 0;
      q.emit(ioasUnmapped, mapping(q, c, s));
      return undefined;
    },
  ),
  rule('kvm_irqchip_add_msi_route', 'dev {dev:s} vector {vector:u} virq {virq:u}', (q, c, s, w) => {
    const vector = c.lo[s.vector]!;
    const virq = c.lo[s.virq]!;
    const { device, name } = routeDevice(q, q.text(s.dev));
    w[0] = device >= 0 && vector < 2048 ? routeSet.bit.entry : 0;
    w[routeSet.at.device] = q.out.world.strings.intern(name);
    w[routeSet.at.vector] = vector;
    w[routeSet.at.entry] = w[0] ? entryObject(q.out.world, device, vector) : 0;
    q.emit(routeSet, route(q, virq));
    const { vfioVector: used } = q.thread;
    if (used >= 0 && q.out.world.path(used).endsWith(`/${vector}`)) {
      w[0] = vfioRoute.bit.virq;
      w[vfioRoute.at.virq] = virq;
      q.emit(vfioRoute, used);
      ownersOf(q).set(virq, used);
    }
    q.thread.vfioVector = -1;
  }),
  rule('kvm_irqchip_update_msi_route', 'Updating MSI route virq={virq:u}', (q, c, s) =>
    q.emit(routeUpdate, route(q, c.lo[s.virq]!)),
  ),
  rule('kvm_irqchip_release_virq', 'virq {virq:u}', (q, c, s, w) => {
    const virq = c.lo[s.virq]!;
    q.emit(routeRelease, route(q, virq));
    const used = ownersOf(q).get(virq);
    if (used !== undefined) {
      w[0] = 0;
      q.emit(vfioRoute, used);
      ownersOf(q).delete(virq);
    }
  }),
  rule('kvm_irqchip_commit_routes', '', (q) => q.emit(routeCommit, q.object(VM))),
  rule('kvm_x86_add_msi_route', '{rest:r}', () => false),
  rule('kvm_x86_remove_msi_route', '{rest:r}', () => false),
  rule('kvm_x86_update_msi_routes', '{rest:r}', () => false),
  rule('kvm_x86_fixup_msi_error', 'VT-d failed to remap interrupt for GSI {gsi:u}', (q, c, s, w) => {
    w[0] = irFault.bit.text;
    w[irFault.at.text] = q.out.world.strings.intern(`the vIOMMU could not remap the message of GSI ${c.lo[s.gsi]!}`);
    q.emit(irFault, q.out.world.object(remapUnit, 'irte/0'));
  }),
  rule('kvm_resample_fd_notify', 'gsi {gsi:u}', (q, c, s) =>
    q.emit(irqfdWakeup, q.object(`${VM}/irqfd/${c.lo[s.gsi]!}`)),
  ),
  rule(
    'apic_deliver_irq',
    'dest {dest:u} dest_mode {destMode:u} delivery_mode {mode:u} vector {vector:u} trigger_mode {trigger:u}',
    (q, c, s, w) => {
      const dest = c.lo[s.dest]!;
      const vector = c.lo[s.vector]!;
      w[apicDeliver.at.dest] = dest;
      w[apicDeliver.at.destMode] = c.lo[s.destMode]!;
      w[apicDeliver.at.deliveryMode] = c.lo[s.mode]!;
      w[apicDeliver.at.vector] = vector;
      w[apicDeliver.at.trigger] = c.lo[s.trigger]!;
      // A physical destination names one CPU; logical ones and broadcasts need tables that the log does not show.
      const single = c.lo[s.destMode] === 0 && dest < 255 && vector >= 16;
      q.emit(apicDeliver, single ? vcpuVectorObject(q.out.world, dest, vector) : q.object('apic/bus'));
    },
  ),
  rule('apic_local_deliver', 'vector {lvt:u} delivery mode {mode:u}', (q, c, s, w) => {
    if (q.thread.vcpu < 0) return false;
    w[apicLocal.at.lvt] = c.lo[s.lvt]!;
    w[apicLocal.at.deliveryMode] = c.lo[s.mode]!;
    q.out.cpu = q.thread.vcpu;
    q.emit(apicLocal, vcpuObject(q.out.world, q.thread.vcpu));
    return undefined;
  }),
  rule('apic_mem_writel', '{offset:x} = {value:x}', (q, c, s) => ((c.lo[s.offset]! & 0xfff) === EOI ? eoi(q) : false)),
  rule('apic_register_write', 'register {register:x} = {value:x}', (q, c, s) =>
    c.lo[s.register] === EOI >> 4 ? eoi(q) : false,
  ),
  rule('ioapic_set_irq', 'vector: {pin:u} level: {level:u}', (q, c, s, w) => {
    w[lineSet.at.level] = c.lo[s.level]!;
    q.emit(
      lineSet,
      q.out.world.byNumbers(pin, 0, c.lo[s.pin]!, (_a, n) => `ioapic/0/pin/${n}`),
    );
  }),
];
