import { eventKind, refused } from '../event.ts';
import { ioas, ioasMap, vmsi } from '../things/ims.ts';

/** iommufd. Object: the address space, its mapping, or the vMSI address. */
export const ioasMapped = eventKind(
  'iommufd.map',
  'configure',
  [ioasMap],
  'User space mapped a range of an I/O address space, or that was refused (negative errno).',
  { output: 'xx', size: 'xx', ret: 'i' },
  (state, e, a) => {
    if (a.ret !== 0) return;
    for (let i = 0; i < 2; i++) {
      state.set(e.object, ioasMap.at.output + i, a.output(i));
      state.set(e.object, ioasMap.at.size + i, a.size(i));
    }
    const path = state.world.node(e.object)?.parent?.parent?.path;
    if (path !== undefined) state.count(state.world.object(ioas, path), ioas.at.maps);
  },
);

export const hwptInstalled = eventKind(
  'iommufd.swmsi',
  'configure',
  [ioasMap],
  'The kernel itself mapped the page of a doorbell into a stage 2, at its software MSI window.',
  { output: 'xx', size: 'xx' },
  (state, e, a) => {
    for (let i = 0; i < 2; i++) {
      state.set(e.object, ioasMap.at.output + i, a.output(i));
      state.set(e.object, ioasMap.at.size + i, a.size(i));
    }
  },
);

export const ioasUnmapped = eventKind(
  'iommufd.unmap',
  'configure',
  [ioasMap],
  'User space unmapped a range of an I/O address space, or that was refused (negative errno).',
  { ret: 'i?' },
  (state, e, a) => {
    if (!refused(a.ret)) state.remove(e.object);
  },
);

export const vmsiSet = eventKind(
  'iommufd.vmsi',
  'configure',
  [vmsi],
  'User space gave the message address of one vector of one device (0 takes it back), or that was refused (negative errno).',
  { iova: 'xx', ret: 'i?' },
  (state, e, a) => {
    if (refused(a.ret)) return;
    if (a.iova(0) === 0 && a.iova(1) === 0) {
      state.remove(e.object);
      return;
    }
    state.set(e.object, vmsi.at.iova, a.iova(0));
    state.set(e.object, vmsi.at.iova + 1, a.iova(1));
  },
);

/** The time in which user space and device disagree. Object: the vMSI address. */
export const vmsiWindow = eventKind(
  'vmsi.window',
  'configure',
  [vmsi],
  'The device holds a message with another address than user space gave (open), or again the right one.',
  { open: 'flag', held: 'xx?', ns: 'u?' },
  (state, e, a) => state.setFlag(e.object, vmsi.at.window, a.open),
);

export const iommufdEvents = [ioasMapped, ioasUnmapped, hwptInstalled, vmsiSet, vmsiWindow];
