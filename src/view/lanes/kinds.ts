import { vocabulary } from '../../model/vocabulary.ts';
import { MARK, type MarkName } from './marks.ts';

/** The event kinds of each mark; kinds that are not named here are `other`. */
export const kindsOfMark: Readonly<Partial<Record<MarkName, readonly string[]>>> = {
  fault: [
    'ir.fault',
    'ir.warn',
    'iommu.fault',
    'its.error',
    'smmu.abort',
    'smmu.fault',
    'message',
    'pba.write',
    'drop',
    'untold',
    'illegal',
  ],
  lost: ['lost', 'start'],
  note: ['mark', 'probe'],
  raise: [
    ...['dev.raise', 'dev.intx', 'line.set', 'its.int', 'apic.local', 'kvm.line', 'irqfd.wakeup'],
    ...['vfio.fire', 'vfio.intx', 'qd.complete'],
  ],
  send: ['send', 'ir.request', 'ipi.send', 'kvm.msi', 'kvm.ioapic', 'apic.ipi'],
  deliver: [
    'apic.accept',
    'apic.inj',
    'apic.deliver',
    'gic.ack',
    'gic.pend',
    'kvm.ack',
    'pi.post',
    'cpu.accept',
    'cpu.take',
    'merge',
  ],
  eoi: ['apic.eoi', 'gic.eoi', 'cpu.eoi'],
  move: ['vec.update', 'its.movi', 'irq.affinity'],
  write: ['cfg.write', 'tbl.write', 'msg.write', 'ims.store', 'perm.write', 'pi.write', 'irte.write', 'irte.writeAmd'],
  invalidate: ['iec.inv', 'irte.invAmd', 'its.inv'],
  change: [
    ...['bar.map', 'bar.unmap', 'msix.ctrl', 'tbl.bind', 'irq.mask', 'cpu.online', 'cpu.state', 'dev.withdraw'],
    ...['cpu.reset', 'irq.managed', 'dev.reset'],
    ...['vec.setup', 'vec.teardown', 'vec.reserve', 'vec.reserveManaged', 'vec.alloc', 'vec.allocManaged'],
    ...['vec.config', 'vec.activate', 'vec.deactivate', 'vec.clear', 'vec.freeMoved'],
    ...['mtx.online', 'mtx.offline', 'mtx.reserve', 'mtx.removeReserved', 'mtx.assignSystem', 'mtx.reserveManaged'],
    ...['mtx.removeManaged', 'mtx.allocManaged', 'mtx.allocReserved', 'mtx.assign', 'mtx.alloc', 'mtx.free'],
    ...['ir.enable', 'ir.table', 'ir.mode', 'iommu.map', 'iommu.unmap', 'iommu.attach'],
    ...['its.mapd', 'its.mapc', 'its.mapti', 'its.discard', 'its.cmd'],
    ...['pi.update', 'irqfd.assign', 'route.set', 'route.update', 'route.release', 'route.commit'],
    ...[
      'vfio.use',
      'vfio.route',
      'vfio.mode',
      'vfio.pba',
      'vfio.set',
      'vfio.bind',
      'vfio.mask',
      'vfio.meta',
      'vfio.sparse',
    ],
    ...['dom.alloc', 'dom.activate', 'dom.compose', 'dom.create', 'ims.free', 'ims.refused', 'queue.state'],
    ...['queue.use', 'pasid.bind', 'pasid.unbind', 'ntb.publish'],
    ...['iommufd.map', 'iommufd.unmap', 'iommufd.vmsi', 'iommufd.swmsi', 'vmsi.window', 'msi.prepare'],
    ...['smmu.config', 'smmu.map', 'smmu.unmap', 'lpi.config', 'gic.frame', 'hcall.grant'],
  ],
  translate: ['ir.remap', 'ir.message', 'its.trans', 'smmu.trans', 'smmu.bypass'],
  read: ['cfg.read', 'tbl.read', 'pba.read', 'irte.read', 'irte.readAmd', 'its.dte', 'its.ite', 'its.cte', 'lpi.load'],
  edge: ['irq.entry', 'irq.exit', 'vector.entry', 'vector.exit', 'ipi.entry', 'ipi.exit', 'kvm.entry', 'kvm.exit'],
};

/** The mark of each event kind, by the kind's number. */
export const markOfKind: Uint8Array = Uint8Array.from(vocabulary, ({ name }) => {
  for (const [mark, kinds] of Object.entries(kindsOfMark)) if (kinds.includes(name)) return MARK[mark as MarkName];
  return MARK.other;
});
