/** Events of the IOMMU layer and of VT-d. Print formats: include/trace/events/iommu.h, drivers/iommu/intel/trace.h. */
import { iecInvalidate, iommuAttach, iommuFault, iommuMap, iommuUnmap, irSeen } from '../../model/events/remap.ts';
import { IEC_TYPE, iecDescriptor } from '../../model/registers/vtd.ts';
import { irte, remapUnit } from '../../model/things/remap.ts';
import { type Ftrace, type FtraceRule, rule } from './context.ts';

const BDF = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** A device as the IOMMU layer names it: a PCI function, or some other device of which only the name is known. */
function iommuDevice(f: Ftrace, name: string): number {
  return f.object(BDF.test(name) ? `device/${name}` : `iommu/device/${name}`);
}

/** Descriptor types of the queued invalidation interface that concern interrupts. */
const IEC = 'iec_inv';
const { type: typeField, granularity, mask: maskField, index: indexField } = iecDescriptor.f;

export const iommuRules: readonly FtraceRule[] = [
  rule(
    'map',
    [
      'IOMMU: iova={iova:x} - {end:x} paddr={paddr:x} size={size:u}',
      'IOMMU: iova={iova:x} paddr={paddr:x} size={size:u}',
      'IOMMU: dev={dev:w} iova={iova:x} - {end:x} paddr={paddr:x} size={size:u}',
    ] as const,
    (f, c, s) => {
      f.emit(
        iommuMap
          .put()
          .iova(c.lo[s.iova]!, c.hi[s.iova]!)
          .paddr(c.lo[s.paddr]!, c.hi[s.paddr]!)
          .size(c.lo[s.size]!, c.hi[s.size]!),
        f.object('iommu'),
      );
    },
    {},
    (c, s) => c.got[s.iova] === 1 && c.got[s.paddr] === 1 && c.got[s.size] === 1,
  ),
  rule(
    'unmap',
    [
      'IOMMU: iova={iova:x} - {end:x} size={size:u}…',
      'IOMMU: iova={iova:x} size={size:u}…',
      'IOMMU: dev={dev:w} iova={iova:x} - {end:x} size={size:u}…',
    ] as const,
    (f, c, s) => {
      f.emit(iommuUnmap.put().iova(c.lo[s.iova]!, c.hi[s.iova]!).size(c.lo[s.size]!, c.hi[s.size]!), f.object('iommu'));
    },
    {},
    (c, s) => c.got[s.iova] === 1 && c.got[s.size] === 1,
  ),
  rule('io_page_fault', 'IOMMU:{driver:w} {device:w} iova={iova:x} flags={flags:x}', (f, c, s) => {
    f.emit(
      iommuFault.put().device(f.str(s.device)).flags(c.lo[s.flags]!).iova(c.lo[s.iova]!, c.hi[s.iova]!),
      f.object('iommu'),
    );
  }),
  rule('add_device_to_group', 'IOMMU: groupID={gid:d} device={device:w}', (f, c, s) => {
    f.emit(iommuAttach.put().group(c.lo[s.gid]!), iommuDevice(f, f.text(s.device)));
  }),
  rule('attach_device_to_domain', 'IOMMU: device={device:w}', (f, _c, s) => {
    f.emit(iommuAttach.put(), iommuDevice(f, f.text(s.device)));
  }),
  rule(
    'qi_submit',
    '{type:w} {unit:w}: {qw0:x} {qw1:x} {qw2:x} {qw3:x}',
    (f, c, s) => {
      if (c.got[s.type] ? f.text(s.type) !== IEC : typeField.of(c.lo[s.qw0]!) !== IEC_TYPE) return false;
      const name = f.text(s.unit);
      if (name.includes('/')) return false;
      const global = !granularity.in(c.lo[s.qw0]!);
      const mask = maskField.of(c.lo[s.qw0]!);
      const index = indexField.of(c.hi[s.qw0]!);
      const unit = f.out.world.object(remapUnit, `irte/${name}`);
      if (!f.out.state.present(unit)) {
        f.emit(irSeen.put().kind(f.intern('VT-d')), unit);
      }
      f.emit(
        iecInvalidate.put().global(global).index(index).mask(mask),
        global ? unit : f.out.world.byNumbers(irte, unit, index, (_u, i) => `irte/${name}/${i}`),
      );
      return undefined;
    },
    { iommu: 'unit' },
    (c, s) => c.got[s.qw0] === 1 && c.got[s.unit] === 1,
  ),
];
