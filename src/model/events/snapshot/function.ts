// What lspci and dumps of config space show of PCI functions. A snapshot asserts what it shows at its time; of what it does not show
// (a capability that only root may read) it says nothing.
import type { ObjectId } from '../../../base/ids.ts';
import { eventKind } from '../../event.ts';
import { beyondMask, type Register } from '../../register.ts';
import { msiControl, msiData, msixControl, msixPba, msixTable, offsetBytes, pciCommand } from '../../registers/pci.ts';
import type { State } from '../../state.ts';
import { bar, device, msi, msixCap } from '../../things/pci.ts';
import { configAccess, msiLies, msixLies } from '../config-space.ts';
import { settleFunction } from '../msix.ts';

const D = device.at;

/** Takes the driver; the name of the function follows it where nothing else named it. */
function setDriver(state: State, dev: ObjectId, driver: number | undefined): void {
  const [name, old, model] = [D.name, D.driver, D.model].map((cell) => state.num(dev, cell));
  if (name === old || name === model) state.forget(dev, D.name);
  if (driver === undefined) {
    state.forget(dev, D.driver);
    if (state.known(dev, D.name) === 0 && model! >= 0) state.set(dev, D.name, model!);
    return;
  }
  state.set(dev, D.driver, driver);
  if (state.known(dev, D.name) === 0) state.set(dev, D.name, driver);
}

/** A PCI function as a snapshot shows it. Object: the function. */
export const snapFunction = eventKind(
  'snap.function',
  'look',
  [device],
  'A snapshot shows a PCI function: class, vendor and device, driver (`unbound`: no driver is bound), IOMMU group, NUMA node, INTx pin (1 to 4) and the irq that this, or its first MSI vector, has.',
  {
    class: 's?',
    model: 's?',
    vendor: 'x?',
    driver: 's?',
    unbound: 'flag?',
    group: 'u?',
    node: 'i?',
    pin: 'u?',
    irq: 'u?',
  },
  (state, e, a) => {
    const { object } = e;
    state.touch(object);
    for (const [cell, value] of [
      [D.class, a.class],
      [D.vendor, a.vendor],
      [D.group, a.group],
      [D.node, a.node],
      [D.pin, a.pin],
      [D.irq, a.irq],
    ] as const)
      if (value !== undefined) state.set(object, cell, value);
    if (a.model !== undefined) {
      if (state.num(object, D.name) === state.num(object, D.model)) state.set(object, D.name, a.model);
      state.set(object, D.model, a.model);
      if (state.known(object, D.name) === 0) state.set(object, D.name, a.model);
    }
    if (a.driver !== undefined || a.unbound === true) setDriver(state, object, a.driver);
  },
);

/** The Command register of a function. Object: the function. */
export const snapCommand = eventKind(
  'snap.command',
  'look',
  [device],
  'A snapshot shows bits of the Command register: those that are set in `known`.',
  { value: 'x', known: 'x' },
  (state, e, a) => {
    state.touch(e.object);
    state.setBits(e.object, D.command, a.value, (a.known | beyondMask(pciCommand)) >>> 0);
    settleFunction(state, e.object);
  },
);

/** A base address register. Object: the function. */
export const snapBar = eventKind(
  'snap.bar',
  'look',
  [device],
  'A snapshot shows a region of a function (6: the expansion ROM): address, size, whether it is one of I/O ports and whether it answers.',
  { bar: 'u', address: 'xx?', size: 'xx?', io: 'flag?', mapped: 'flag?' },
  (state, e, a) => {
    state.touch(e.object);
    const object = state.world.child(bar, e.object, 'bar', a.bar);
    state.touch(object);
    for (let i = 0; i < 2; i++) {
      if (a.has.address) state.set(object, bar.at.address + i, a.address(i));
      if (a.has.size) state.set(object, bar.at.size + i, a.size(i));
    }
    if (a.io !== undefined) state.setFlag(object, bar.at.io, a.io);
    if (a.mapped !== undefined) state.setFlag(object, bar.at.mapped, a.mapped);
  },
);

/** Sets the bits of a register that are told, and what lies beyond the register. */
function tell(
  state: State,
  object: ObjectId,
  cell: number,
  register: Register,
  told: readonly (readonly [mask: number, bits: number] | undefined)[],
): void {
  let [value, known] = [0, beyondMask(register)];
  for (const field of told) {
    if (field === undefined) continue;
    known = (known | field[0]) >>> 0;
    value = (value | field[1]) >>> 0;
  }
  state.setBits(object, cell, value, known);
}

/** A field that is told, as mask and bits. */
const told = (
  field: { readonly mask: number; readonly put: (value: number) => number },
  value: number | boolean | undefined,
): readonly [number, number] | undefined => (value === undefined ? undefined : [field.mask, field.put(Number(value))]);

/** The MSI-X capability. Object: the function. */
export const snapMsix = eventKind(
  'snap.msix',
  'look',
  [device],
  'A snapshot shows the MSI-X capability at config offset `at`: enable, function mask, entries of the table, and where table and pending bit array lie.',
  {
    at: 'x',
    enable: 'flag?',
    fmask: 'flag?',
    size: 'u?',
    tableBar: 'u?',
    tableOffset: 'x?',
    pbaBar: 'u?',
    pbaOffset: 'x?',
  },
  (state, e, a) => {
    state.touch(e.object);
    msixLies(state, e.object, a.at);
    const cap = state.world.child(msixCap, e.object, 'msixcap');
    state.touch(cap);
    const { enable, fmask, size } = msixControl.f;
    tell(state, cap, msixCap.at.control, msixControl, [
      told(enable, a.enable),
      told(fmask, a.fmask),
      told(size, a.size === undefined ? undefined : a.size - 1),
    ]);
    if (a.tableBar !== undefined && a.tableOffset !== undefined)
      state.set(cap, msixCap.at.table, (offsetBytes(a.tableOffset) | msixTable.f.bir.put(a.tableBar)) >>> 0);
    if (a.pbaBar !== undefined && a.pbaOffset !== undefined)
      state.set(cap, msixCap.at.pba, (offsetBytes(a.pbaOffset) | msixPba.f.bir.put(a.pbaBar)) >>> 0);
    settleFunction(state, e.object);
  },
);

/** The MSI capability. Object: the function. */
export const snapMsi = eventKind(
  'snap.msi',
  'look',
  [device],
  'A snapshot shows the MSI capability at config offset `at`: enable, vectors that software granted and that the function asked for, whether it has mask bits (`maskable`) and a 64-bit address (`wide`), and its message, mask bits and pending bits.',
  {
    at: 'x',
    enable: 'flag?',
    granted: 'u?',
    capable: 'u?',
    maskable: 'flag?',
    wide: 'flag?',
    address: 'xx?',
    data: 'x?',
    mask: 'x?',
    pending: 'x?',
  },
  (state, e, a) => {
    state.touch(e.object);
    msiLies(state, e.object, a.at);
    const cap = state.world.child(msi, e.object, 'msi');
    state.touch(cap);
    const { f } = msiControl;
    const power = (count: number | undefined): number | undefined =>
      count === undefined ? undefined : 31 - Math.clz32(count);
    tell(state, cap, msi.at.control, msiControl, [
      told(f.enable, a.enable),
      told(f.multipleEnable, power(a.granted)),
      told(f.multipleCapable, power(a.capable)),
      told(f.maskable, a.maskable),
      told(f.address64, a.wide),
    ]);
    if (a.has.address) for (let i = 0; i < 2; i++) state.set(cap, msi.at.address + i, a.address(i));
    if (a.data !== undefined)
      state.setBits(cap, msi.at.data, a.data, (msiData.f.data.mask | beyondMask(msiData)) >>> 0);
    if (a.mask !== undefined) state.set(cap, msi.at.mask, a.mask);
    if (a.pending !== undefined) state.set(cap, msi.at.pending, a.pending);
    settleFunction(state, e.object);
  },
);

/** Extended capabilities that have to do with interrupts and DMA. Object: the function. */
export const snapFeatures = eventKind(
  'snap.features',
  'look',
  [device],
  'A snapshot shows extended capabilities: whether ATS, page requests and PASID are enabled, virtual functions (SR-IOV) that are there and that there can be, and whether the function says that it has an Interrupt Message Store.',
  { ats: 'flag?', pri: 'flag?', pasid: 'flag?', vfs: 'u?', totalVfs: 'u?', ims: 'flag?' },
  (state, e, a) => {
    const { object } = e;
    state.touch(object);
    for (const [cell, value] of [
      [D.atsEnabled, a.ats],
      [D.priEnabled, a.pri],
      [D.pasidEnabled, a.pasid],
      [D.hasIms, a.ims],
    ] as const)
      if (value !== undefined) state.setFlag(object, cell, value);
    if (a.vfs !== undefined) state.set(object, D.vfs, a.vfs);
    if (a.totalVfs !== undefined) state.set(object, D.totalVfs, a.totalVfs);
  },
);

/** Bytes of config space. Object: the function. */
export const snapConfig = eventKind(
  'snap.config',
  'look',
  [device],
  'A snapshot shows `size` bytes (1 to 16) of config space from `offset` on, the first one lowest in `bytes`. What they say of registers becomes known, as when software reads them.',
  { offset: 'x', size: 'u', bytes: 'xxxx' },
  (state, e, a) => {
    const size = Math.min(16, a.size);
    for (let at = 0; at < size; at += 4)
      configAccess(state, e.object, {
        offset: a.offset + at,
        size: Math.min(4, size - at),
        value: a.bytes(at >>> 2),
        write: false,
      });
  },
);

/** Text and bytes of one dump disagree. Object: the function. */
export const snapDiffers = eventKind(
  'snap.differs',
  'look',
  [device],
  'The text of a dump of a function says another thing, at a line of its own, than the bytes of config space beside it. The bytes hold.',
  { line: 'u', text: 's', bytes: 's' },
);
