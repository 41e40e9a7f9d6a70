import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { imsicDomain } from './riscv-host.ts';

const actor = { layer: 'irq-core', name: 'imsic', cpu: 0 } as const;

const hartOf = (object: string): number => Number(object.split('/')[1]);

function refuses(setup: Setup, object: string): string | undefined {
  const part = setup.find(imsicDomain);
  if (!part) return 'the system has no IMSIC (platform.arch riscv64)';
  const hart = hartOf(object);
  return /^cpu\/\d+\/imsic$/.test(object) && part.imsic.cpus.exists(hart)
    ? undefined
    : `${object} is no interrupt file: cpu/<hart>/imsic`;
}

/** What software does to the interrupt file of a hart. */
export const imsicOperations: readonly OperationSpec[] = [
  {
    name: 'imsic.write',
    title: 'Write an identity to an interrupt file',
    meaning: 'Something writes an identity to the page of a hart, without a cause: a message that nobody composed.',
    on: ['cpu/*/imsic'],
    args: [{ name: 'identity', type: 'number', min: 0, max: 0xffffffff, meaning: 'Data of the write.' }],
    actor,
    refuses,
    *run(setup, object, { identity }) {
      setup.use(imsicDomain).imsic.accept(hartOf(object), Number(identity));
    },
  },
  {
    name: 'imsic.configure',
    title: 'Write eidelivery and eithreshold',
    meaning:
      'The kernel sets whether a hart gets interrupts of its file, and from which identity on they are held back.',
    on: ['cpu/*/imsic'],
    args: [
      { name: 'delivery', type: 'flag', default: true, meaning: 'eidelivery: 1 or 0.' },
      { name: 'threshold', type: 'number', min: 0, max: 2047, default: 0, meaning: 'eithreshold; 0 none.' },
    ],
    actor,
    refuses,
    *run(setup, object, { delivery, threshold }) {
      const values = { delivery: delivery === true ? 1 : 0, threshold: Number(threshold) };
      setup.use(imsicDomain).imsic.configure(hartOf(object), values);
    },
  },
];
