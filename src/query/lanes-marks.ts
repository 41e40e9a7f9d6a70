import { vocabulary } from '../model/vocabulary.ts';

/** What a timeline draws for an event: a shape that says what sort of thing happened. */
export interface MarkSpec {
  readonly name: string;
  readonly meaning: string;
}

/**
 * The marks, in the order of their numbers. The lower the number, the more it matters: of several events in one
 * pixel, the mark with the lowest number is the one that is drawn. Numbers live in memory and messages only.
 */
export const marks = [
  { name: 'fault', meaning: 'Refused, illegal or doubtful: a fault, a mismatch, an error.' },
  { name: 'lost', meaning: 'Events are missing: the recorder lost them or had not begun.' },
  { name: 'note', meaning: 'A text that somebody wrote into the trace, or a probe.' },
  { name: 'raise', meaning: 'A cause arose: in a device, on a line, at an eventfd.' },
  { name: 'send', meaning: 'A message was sent, or arrived on the bus.' },
  { name: 'deliver', meaning: 'An interrupt was accepted, injected or acknowledged.' },
  { name: 'eoi', meaning: 'End of interrupt.' },
  { name: 'move', meaning: 'An interrupt got another target.' },
  { name: 'write', meaning: 'A write: table entry, config space, message.' },
  { name: 'invalidate', meaning: 'Something cached was invalidated.' },
  { name: 'change', meaning: 'Something was set up, mapped, allocated, or taken down.' },
  { name: 'translate', meaning: 'A message or access was translated.' },
  { name: 'read', meaning: 'A read: table entry, config space, remapping or translation table.' },
  { name: 'edge', meaning: 'Begin or end of a span.' },
  { name: 'other', meaning: 'Another event.' },
] as const satisfies readonly MarkSpec[];

export type MarkName = (typeof marks)[number]['name'];

const number = (name: MarkName): number => marks.findIndex((mark) => mark.name === name);

/** The number of each mark. */
export const MARK = Object.fromEntries(marks.map((mark, i) => [mark.name, i])) as Readonly<Record<MarkName, number>>;

/** The event kinds of each mark; kinds that are not named here are `other`. */
export const kindsOfMark: Readonly<Partial<Record<MarkName, readonly string[]>>> = {
  fault: ['ir.fault', 'ir.warn', 'iommu.fault', 'its.error', 'smmu.abort', 'smmu.fault', 'message', 'pba.write'],
  lost: ['lost', 'start'],
  note: ['mark', 'probe'],
  raise: [
    ...['dev.raise', 'dev.intx', 'line.set', 'its.int', 'apic.local', 'kvm.line', 'irqfd.wakeup'],
    ...['vfio.fire', 'vfio.intx'],
  ],
  send: ['send', 'ir.request', 'ipi.send', 'kvm.msi', 'kvm.ioapic', 'apic.ipi'],
  deliver: ['apic.accept', 'apic.inj', 'apic.deliver', 'gic.ack', 'kvm.ack'],
  eoi: ['apic.eoi', 'gic.eoi'],
  move: ['vec.update', 'its.movi', 'irq.affinity'],
  write: ['cfg.write', 'tbl.write', 'msg.write'],
  invalidate: ['iec.inv', 'irte.invAmd', 'its.inv'],
  change: [
    ...['bar.map', 'bar.unmap', 'msix.ctrl', 'tbl.bind', 'irq.mask', 'cpu.online'],
    ...['vec.setup', 'vec.teardown', 'vec.reserve', 'vec.reserveManaged', 'vec.alloc', 'vec.allocManaged'],
    ...['vec.config', 'vec.activate', 'vec.deactivate', 'vec.clear', 'vec.freeMoved'],
    ...['mtx.online', 'mtx.offline', 'mtx.reserve', 'mtx.removeReserved', 'mtx.assignSystem', 'mtx.reserveManaged'],
    ...['mtx.removeManaged', 'mtx.allocManaged', 'mtx.allocReserved', 'mtx.assign', 'mtx.alloc', 'mtx.free'],
    ...['ir.enable', 'ir.table', 'ir.mode', 'iommu.map', 'iommu.unmap', 'iommu.attach'],
    ...['its.mapd', 'its.mapc', 'its.mapti', 'its.discard', 'its.cmd'],
    ...['pi.update', 'irqfd.assign', 'route.set', 'route.update', 'route.release', 'route.commit'],
    ...['vfio.use', 'vfio.route', 'vfio.mode', 'vfio.pba', 'vfio.set'],
  ],
  translate: ['ir.remap', 'ir.message', 'its.trans', 'smmu.trans', 'smmu.bypass'],
  read: ['cfg.read', 'tbl.read', 'pba.read', 'irte.read', 'irte.readAmd', 'its.dte', 'its.ite', 'its.cte'],
  edge: ['irq.entry', 'irq.exit', 'vector.entry', 'vector.exit', 'ipi.entry', 'ipi.exit', 'kvm.entry', 'kvm.exit'],
};

/** The mark of each event kind, by the kind's number. */
export const markOfKind: Uint8Array = Uint8Array.from(vocabulary, ({ name }) => {
  for (const [mark, kinds] of Object.entries(kindsOfMark)) if (kinds.includes(name)) return number(mark as MarkName);
  return number('other');
});
