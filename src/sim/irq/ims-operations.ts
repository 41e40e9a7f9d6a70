import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { host } from './host.ts';
import { type ImsFunction, imsFunctions } from './ims-domain.ts';

const driver = { layer: 'driver', name: 'operator', cpu: 0 } as const;
const hardware = { layer: 'device', name: 'operator', cpu: -1 } as const;

const ENTRY = ['device/*/ims/*'];

function imsOf(setup: Setup, object: string): ImsFunction | undefined {
  return setup.find(imsFunctions)?.get(object.split('/')[1] ?? '');
}

const noIms = (setup: Setup, object: string): string | undefined =>
  imsOf(setup, object) ? undefined : `${object.split('/')[1]} has no interrupt message storage`;

const indexOf = (object: string): number => Number(object.split('/')[3]);

const noEntry = (setup: Setup, object: string): string | undefined =>
  noIms(setup, object) ??
  (indexOf(object) < imsOf(setup, object)!.size ? undefined : `${object} is beyond the size of the storage`);

const notAllocated = (setup: Setup, object: string): string | undefined =>
  noEntry(setup, object) ?? (imsOf(setup, object)!.irq(indexOf(object)) ? undefined : `${object} is not allocated`);

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
    *run(setup, object, { pasid, owner }) {
      const irq = yield* imsOf(setup, object)!.alloc(
        { pasid: pasid === undefined ? undefined : Number(pasid) },
        String(owner),
      );
      if (typeof irq !== 'number') yield* setup.use(host).core.request(irq.virq, `ims-${irq.index}`);
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
    *run(setup, object) {
      const ims = imsOf(setup, object)!;
      yield* setup.use(host).core.freeIrq(ims.irq(indexOf(object))!.virq);
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
    *run(setup, object) {
      imsOf(setup, object)!.raise(indexOf(object));
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
    *run(setup, object) {
      imsOf(setup, object)!.withdraw(indexOf(object));
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
      *run(setup, object) {
        yield* setup.use(host).core.mask(imsOf(setup, object)!.irq(indexOf(object))!.virq, masked);
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
    *run(setup, object, { pasid }) {
      yield* imsOf(setup, object)!.setCookie(indexOf(object), {
        pasid: pasid === undefined ? undefined : Number(pasid),
      });
    },
  },
];
