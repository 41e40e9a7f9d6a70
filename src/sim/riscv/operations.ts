import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { SOURCES } from './aplic.ts';
import { aplicDomain, imsicDomain } from './riscv-host.ts';

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

const sourceOf = (object: string): number => Number(object.split('/')[3]);

function noSource(setup: Setup, object: string): string | undefined {
  if (!setup.find(aplicDomain)) return 'the system has no APLIC (platform.arch riscv64, a function with intx)';
  const n = sourceOf(object);
  return /^aplic\/0\/source\/\d+$/.test(object) && n >= 1 && n <= SOURCES
    ? undefined
    : `${object} is no source: aplic/0/source/<1 to ${SOURCES}>`;
}

const ON = ['aplic/*/source/*'];

/** What devices and software do to a source of the APLIC. */
export const aplicOperations: readonly OperationSpec[] = [
  {
    name: 'aplic.line',
    title: 'Drive the wire of a source',
    meaning:
      'A platform device asserts or deasserts the wire of a source; where a function is wired to the source as well, the wire is up while one of them holds it up.',
    on: ON,
    args: [{ name: 'level', type: 'flag', default: true, meaning: 'Asserted.' }],
    actor: { layer: 'device', name: 'platform', cpu: -1 },
    refuses: noSource,
    *run(setup, object, { level }) {
      setup.use(aplicDomain).aplic.line(sourceOf(object), level === true, 'platform');
    },
  },
  {
    name: 'aplic.enable',
    title: 'Enable or disable a source',
    meaning:
      'Software writes setienum or clrienum: what pends at a source that is not enabled is sent when it is again.',
    on: ON,
    args: [{ name: 'enabled', type: 'flag', default: true, meaning: 'Whether it may send.' }],
    actor,
    refuses: noSource,
    *run(setup, object, { enabled }) {
      setup.use(aplicDomain).aplic.enable(sourceOf(object), enabled === true);
    },
  },
  {
    name: 'aplic.setip',
    title: 'Write setipnum',
    meaning: 'Software makes a source pending: one whose wire is a level only while that is up.',
    on: ON,
    args: [],
    actor,
    refuses: noSource,
    *run(setup, object) {
      setup.use(aplicDomain).aplic.setPending(sourceOf(object));
    },
  },
];
