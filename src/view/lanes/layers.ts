import { effectivelyMasked } from '../../model/events/msix.ts';
import type { Field } from '../../model/field.ts';
import type { ObjectType } from '../../model/objects.ts';
import { amdIrte128 } from '../../model/registers/amd.ts';
import { imsControl } from '../../model/registers/ims.ts';
import { msiControl, msixControl, pciCommand } from '../../model/registers/pci.ts';
import { postedControl } from '../../model/registers/posted.ts';
import { vtdIrte } from '../../model/registers/vtd.ts';
import type { State } from '../../model/state.ts';
import { imsEntry, ioasMap, piDescriptor, queue, vmsi } from '../../model/things/ims.ts';
import { cpu, intid, irq, pin, vector } from '../../model/things/irq.ts';
import { device, msi, msixCap, msixEntry } from '../../model/things/pci.ts';
import { amdIrte, irte, itsCollection, itsDevice, itsEvent, lpiConfig, remapUnit } from '../../model/things/remap.ts';
import { kvmGsi, kvmIrqfd, kvmRoute, vcpu, vcpuVector, vfioDevice, vfioVector } from '../../model/things/virt.ts';
import { keyValue } from '../../query/view.ts';
import { ABSENT, type LayerStyle, OFF, ON, UNKNOWN } from './values.ts';

/** A property of a lane's object that holds for spans of time. */
export interface LayerSpec {
  readonly name: string;
  /** Words for the two values. */
  readonly on: string;
  readonly off: string;
  readonly style: LayerStyle;
  /** The band in the middle of the lane, or the narrow strip above it. */
  readonly place: 'band' | 'strip';
  /** Where the value comes from; layers without are kept by the index itself, from begins and ends of handlers. */
  readonly value?: (state: State, object: number) => number;
  /** All cells of its own object that the value may depend on; a layer without this list also reads other objects. */
  readonly cells?: readonly number[];
}

const three = (flag: boolean | undefined | null): number =>
  flag === undefined || flag === null ? UNKNOWN : flag ? ON : OFF;

const flagCell =
  (cell: number) =>
  (state: State, object: number): number =>
    three(state.flag(object, cell));

/** A field of one bit of the register that starts at a cell. */
const bitCell =
  (field: Field, cell: number) =>
  (state: State, object: number): number =>
    three(field.flag(state, object, cell));

/** MSI off, or every vector in use masked. */
function msiMasked(state: State, object: number): boolean | undefined {
  const { enable, maskable, multipleEnable } = msiControl.f;
  const on = enable.flag(state, object, msi.at.control);
  if (on !== true) return on === false ? true : undefined;
  if (maskable.flag(state, object, msi.at.control) === false) return false;
  const control = state.num(object, msi.at.control);
  if (control < 0) return undefined;
  const count = 1 << Math.min(5, multipleEnable.of(control));
  const all = count === 32 ? 0xffffffff : (1 << count) - 1;
  if ((state.known(object, msi.at.mask) & all) >>> 0 !== all >>> 0) return undefined;
  return (state.get(object, msi.at.mask) & all) >>> 0 === all >>> 0;
}

function functionMasked(state: State, object: number): boolean | undefined {
  const cap = state.world.node(object)?.children.get('msixcap')?.object ?? -1;
  if (cap < 0 || !state.present(cap)) return false;
  const enable = msixControl.f.enable.flag(state, cap, msixCap.at.control);
  const mask = msixControl.f.fmask.flag(state, cap, msixCap.at.control);
  return enable === false || mask === false ? false : enable && mask;
}

const cell = (name: string, off: string, on: string, style: LayerStyle, at: number): LayerSpec => ({
  name,
  on,
  off,
  style,
  place: 'band',
  value: flagCell(at),
  cells: [at],
});

const strip = (spec: LayerSpec): LayerSpec => ({ ...spec, place: 'strip' });

const handler = (name: string): LayerSpec => ({ name, on: 'running', off: 'idle', style: 'run', place: 'band' });

const present = (field: Field, at: number): LayerSpec => ({
  name: 'present',
  on: 'present',
  off: 'not present',
  style: 'hold',
  place: 'band',
  value: bitCell(field, at),
  cells: [at + field.word],
});

/** Handlers of irq actions on a CPU; kept by the index. */
export const cpuHandlers: LayerSpec = handler('irq handler');
/** System vectors on a CPU; kept by the index. */
export const cpuSystem: LayerSpec = strip(handler('system vector'));
/** Handlers of one irq on any CPU; kept by the index. */
export const irqHandlers: LayerSpec = handler('handler');

/** The layers of each type of object, in drawing order. */
export const layersOf: ReadonlyMap<ObjectType, readonly LayerSpec[]> = new Map<ObjectType, readonly LayerSpec[]>([
  [
    device,
    [
      {
        name: 'bus master',
        on: 'bus master on',
        off: 'bus master off',
        style: 'hold',
        place: 'band',
        value: bitCell(pciCommand.f.busMaster, device.at.command),
        cells: [device.at.command],
      },
      {
        name: 'function mask',
        on: 'function masked',
        off: 'function not masked',
        style: 'mask',
        place: 'strip',
        value: (state, object) => three(functionMasked(state, object)),
      },
    ],
  ],
  [
    msixEntry,
    [
      {
        name: 'mask',
        on: 'masked',
        off: 'open',
        style: 'mask',
        place: 'band',
        value: (state, object) => three(effectivelyMasked(state, object)),
      },
      strip(cell('pending', 'not pending', 'pending', 'pending', msixEntry.at.pending)),
    ],
  ],
  [
    msi,
    [
      {
        name: 'mask',
        on: 'masked or off',
        off: 'open',
        style: 'mask',
        place: 'band',
        value: (state, object) => three(msiMasked(state, object)),
        cells: [msi.at.control, msi.at.mask],
      },
    ],
  ],
  [
    imsEntry,
    [
      {
        name: 'mask',
        on: 'masked',
        off: 'open',
        style: 'mask',
        place: 'band',
        value: bitCell(imsControl.f.mask, imsEntry.at.control),
        cells: [imsEntry.at.control],
      },
      strip(cell('pending', 'not pending', 'pending', 'pending', imsEntry.at.pending)),
    ],
  ],
  [
    queue,
    [
      {
        name: 'queue',
        on: 'enabled',
        off: 'not enabled',
        style: 'hold',
        place: 'band',
        value: (state, object) => {
          const text = state.text(object, queue.at.state);
          return text === '' ? UNKNOWN : text === 'enabled' ? ON : OFF;
        },
        cells: [queue.at.state],
      },
    ],
  ],
  [
    piDescriptor,
    [
      {
        name: 'notification',
        on: 'suppressed',
        off: 'not suppressed',
        style: 'mask',
        place: 'band',
        value: bitCell(postedControl.f.sn, piDescriptor.at.control),
        cells: [piDescriptor.at.control],
      },
      {
        name: 'outstanding',
        on: 'outstanding',
        off: 'not outstanding',
        style: 'pending',
        place: 'strip',
        value: bitCell(postedControl.f.on, piDescriptor.at.control),
        cells: [piDescriptor.at.control],
      },
    ],
  ],
  [irq, [irqHandlers, strip(cell('moving', 'settled', 'move in progress', 'stale', irq.at.moving))]],
  [
    cpu,
    [
      {
        name: 'offline',
        on: 'offline',
        off: 'online',
        style: 'mask',
        place: 'band',
        value: (state, object) => {
          const online = state.flag(object, cpu.at.online);
          return online === undefined ? UNKNOWN : online ? OFF : ON;
        },
        cells: [cpu.at.online],
      },
      cpuHandlers,
      cpuSystem,
    ],
  ],
  [
    vector,
    [
      {
        name: 'entry code',
        on: 'running',
        off: 'idle',
        style: 'run',
        place: 'band',
        value: (state, object) =>
          three(state.flag(object, vector.at.active) ?? state.flag(object, vector.at.inService)),
        cells: [vector.at.active, vector.at.inService],
      },
      strip(cell('requested', 'not requested', 'requested', 'pending', vector.at.requested)),
    ],
  ],
  [
    intid,
    [
      cell('in service', 'not in service', 'in service', 'run', intid.at.inService),
      strip(cell('pending', 'not pending', 'pending', 'pending', intid.at.requested)),
    ],
  ],
  [lpiConfig, [cell('enabled', 'disabled', 'enabled', 'hold', lpiConfig.at.enabled)]],
  [
    ioasMap,
    [{ name: 'mapped', on: 'mapped', off: 'not mapped', style: 'hold', place: 'band', value: () => ON, cells: [] }],
  ],
  [vmsi, [cell('window', 'as given', 'another address in the device', 'stale', vmsi.at.window)]],
  [vcpu, [cell('in guest', 'in the host', 'in the guest', 'run', vcpu.at.inGuest)]],
  [
    vcpuVector,
    [
      cell('in service', 'not in service', 'in service', 'run', vcpuVector.at.inService),
      strip(cell('requested', 'not requested', 'requested', 'pending', vcpuVector.at.requested)),
    ],
  ],
  [remapUnit, [cell('remapping', 'off', 'on', 'hold', remapUnit.at.enabled)]],
  [
    irte,
    [
      present(vtdIrte.f.present, irte.at.value),
      strip(cell('stale', 'as last read', 'invalidated since', 'stale', irte.at.stale)),
    ],
  ],
  [
    amdIrte,
    [
      present(amdIrte128.f.present, amdIrte.at.value),
      strip(cell('stale', 'as last read', 'invalidated since', 'stale', amdIrte.at.stale)),
    ],
  ],
  [itsDevice, [cell('valid', 'not mapped', 'mapped', 'hold', itsDevice.at.valid)]],
  [itsEvent, [cell('valid', 'not mapped', 'mapped', 'hold', itsEvent.at.valid)]],
  [itsCollection, [cell('valid', 'not mapped', 'mapped', 'hold', itsCollection.at.valid)]],
  [pin, [cell('level', 'low', 'high', 'run', pin.at.level)]],
  [kvmGsi, [cell('level', 'low', 'high', 'run', kvmGsi.at.level)]],
  [
    kvmRoute,
    [
      {
        name: 'current',
        on: 'carries what the entry holds',
        off: 'outdated',
        style: 'hold',
        place: 'band',
        value: (state, object) => three(keyValue(state, object, 'current') as boolean | null),
      },
    ],
  ],
  [kvmIrqfd, [cell('posted', 'through the host', 'posted', 'hold', kvmIrqfd.at.posted)]],
  [vfioDevice, [cell('MSI-X', 'MSI-X off', 'MSI-X on', 'hold', vfioDevice.at.msix)]],
  [
    vfioVector,
    [
      cell('used', 'not used', 'used', 'hold', vfioVector.at.used),
      strip(cell('masked', 'not masked', 'masked', 'mask', vfioVector.at.masked)),
    ],
  ],
]);

/** Types of the objects that layers without a list of cells read. */
export const readByLayers: readonly ObjectType[] = [device, msixCap, msixEntry, kvmRoute];

/** The value of a layer of an object; ABSENT while the object does not exist. */
export function layerValue(spec: LayerSpec, state: State, object: number): number {
  return state.present(object) && spec.value ? spec.value(state, object) : ABSENT;
}
