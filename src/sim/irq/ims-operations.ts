import type { OperationSpec } from '../operation.ts';
import type { System } from '../system.ts';
import { host } from './host.ts';
import { type ImsFunction, imsFunctions } from './ims-domain.ts';

const driver = { layer: 'driver', name: 'operator', cpu: 0 } as const;
const hardware = { layer: 'device', name: 'operator', cpu: -1 } as const;

const ENTRY = ['device/*/ims/*'];

function imsOf(system: System, object: string): ImsFunction | undefined {
  return system.find(imsFunctions)?.get(object.split('/')[1] ?? '');
}

const noIms = (system: System, object: string): string | undefined =>
  imsOf(system, object) ? undefined : `${object.split('/')[1]} has no interrupt message storage`;

const indexOf = (object: string): number => Number(object.split('/')[3]);

const noEntry = (system: System, object: string): string | undefined =>
  noIms(system, object) ??
  (indexOf(object) < imsOf(system, object)!.size ? undefined : `${object} is beyond the size of the storage`);

const notAllocated = (system: System, object: string): string | undefined =>
  noEntry(system, object) ?? (imsOf(system, object)!.irq(indexOf(object)) ? undefined : `${object} is not allocated`);

/** Operations on interrupt message storage. */
export const imsOperations: readonly OperationSpec[] = [
  {
    name: 'ims.alloc',
    title: 'Allocate an IMS interrupt',
    meaning: 'pci_ims_alloc_irq() and request_irq(): the lowest free entry gets an irq. -ENOSPC when no entry is free.',
    on: ['device/*'],
    args: [
      {
        name: 'pasid',
        type: 'hex',
        min: 0,
        max: 0xfffff,
        optional: true,
        meaning: 'PASID that descriptors must carry.',
      },
      { name: 'owner', type: 'text', default: 'operator', meaning: 'Its owner.' },
    ],
    actor: driver,
    refuses: noIms,
    *run(system, object, { pasid, owner }) {
      const irq = yield* imsOf(system, object)!.alloc(
        { pasid: pasid === undefined ? undefined : Number(pasid) },
        String(owner),
      );
      if (typeof irq !== 'number') yield* system.use(host).core.request(irq.virq, `ims-${irq.index}`);
    },
  },
  {
    name: 'ims.free',
    title: 'Free the IMS interrupt',
    meaning: 'free_irq() and pci_ims_free_irq(): the entry can be allocated again; what it kept pending is gone.',
    on: ENTRY,
    args: [],
    actor: driver,
    refuses: notAllocated,
    *run(system, object) {
      const ims = imsOf(system, object)!;
      yield* system.use(host).core.freeIrq(ims.irq(indexOf(object))!.virq);
      yield* ims.free(indexOf(object));
    },
  },
  {
    name: 'ims.raise',
    title: 'Raise',
    meaning:
      'A cause arises in the function for this entry: sent, kept pending while masked, lost while not allocated.',
    on: ENTRY,
    args: [],
    actor: hardware,
    refuses: noEntry,
    *run(system, object) {
      imsOf(system, object)!.raise(indexOf(object));
    },
  },
  {
    name: 'ims.withdraw',
    title: 'Withdraw the cause',
    meaning: 'The cause goes away before its message was sent: the pending bit is cleared.',
    on: ENTRY,
    args: [],
    actor: hardware,
    refuses: notAllocated,
    *run(system, object) {
      imsOf(system, object)!.withdraw(indexOf(object));
    },
  },
  ...([true, false] as const).map(
    (masked): OperationSpec => ({
      name: masked ? 'ims.mask' : 'ims.unmask',
      title: masked ? 'Mask' : 'Unmask',
      meaning: masked
        ? 'The irq core masks the entry: the mask bit of its control dword, all else stays.'
        : 'The irq core unmasks the entry; what is pending is sent.',
      on: ENTRY,
      args: [],
      actor: driver,
      refuses: notAllocated,
      *run(system, object) {
        yield* system.use(host).core.mask(imsOf(system, object)!.irq(indexOf(object))!.virq, masked);
      },
    }),
  ),
  {
    name: 'ims.setPasid',
    title: 'Set the PASID',
    meaning: 'The driver writes the PASID of the entry; mask and message stay.',
    on: ENTRY,
    args: [
      { name: 'pasid', type: 'hex', min: 0, max: 0xfffff, optional: true, meaning: 'PASID; absent: none is compared.' },
    ],
    actor: driver,
    refuses: notAllocated,
    *run(system, object, { pasid }) {
      yield* imsOf(system, object)!.setCookie(indexOf(object), {
        pasid: pasid === undefined ? undefined : Number(pasid),
      });
    },
  },
];
