// Vectors of VFIO and GSIs of KVM, which an eventfd ties together: where a trace records both, and whose numbers are whose.
import assert from 'node:assert/strict';
import { interrupts } from '../../src/query/interrupts/list.ts';
import type { InterruptRow } from '../../src/query/interrupts/row.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';
import { story } from '../helpers/story.ts';

const rows = (trace: Trace): InterruptRow[] => interrupts(trace, trace.length - 1).map(({ row }) => row);

/** The GSI of each vector of VFIO. */
const gsis = (trace: Trace): Record<string, unknown> =>
  Object.fromEntries(rows(trace).flatMap((row) => (row.vfio === null ? [] : [[row.vfio, row.gsi]])));

describe('eventfds', () => {
  /** Records of threads, a microsecond apart: `comm-pid` or `comm-pid (tgid)` in front of each payload. */
  const ftrace = (...records: readonly (readonly [task: string, payload: string])[]): Trace =>
    importText(
      `# tracer: nop\n${records
        .map(
          ([task, payload], i) => `${task.padStart(32)} [000] d....   134.${String(i).padStart(6, '0')}: ${payload}\n`,
        )
        .join('')}`,
    );
  const set = (bdf: string, vector: number, fd: number): readonly string[] => [
    `s: (vfio_pci_set_irqs_ioctl+0x0/0xf0 [vfio_pci_core]) flags=0x24 index=2 start=${vector} count=1 dev="${bdf}" fd=${fd}`,
    's: (vfio_pci_core_ioctl+0x9/0x12 [vfio_pci_core] <- vfio_pci_set_irqs_ioctl) ret=0',
  ];
  const irqfd = (fd: number, gsi: number, flags = 0): string =>
    `k: (kvm_irqfd+0x4/0x600 [kvm]) fd=${fd} gsi=${gsi} flags=${flags}`;
  const by = (task: string, ...payloads: readonly string[]) => payloads.map((payload) => [task, payload] as const);
  const V = 'vfio/0000:03:00.0/2';

  it('a vector and an irqfd with one eventfd of a process are one interrupt, whichever comes first', () => {
    const records = [by('qemu-77', ...set('0000:03:00.0', 0, 21)), by('qemu-77', irqfd(21, 24))];
    for (const order of [records, records.toReversed()])
      assert.deepEqual(gsis(ftrace(...order.flat())), { [`${V}/0`]: 'kvm/0/irqfd/24' });
    const other = ftrace(...by('qemu-77', ...set('0000:03:00.0', 0, 21), irqfd(22, 24)));
    assert.deepEqual(gsis(other), { [`${V}/0`]: null }, 'another eventfd');
  });

  it('an irqfd that is released, and a vector that gets another eventfd, part', () => {
    const both = by('qemu-77', ...set('0000:03:00.0', 0, 21), irqfd(21, 24));
    assert.deepEqual(gsis(ftrace(...both, ...by('qemu-77', irqfd(21, 24, 1)))), { [`${V}/0`]: null });
    assert.deepEqual(gsis(ftrace(...both, ...by('qemu-77', ...set('0000:03:00.0', 0, 33)))), { [`${V}/0`]: null });
    const swapped = by('qemu-77', ...set('0000:03:00.0', 0, 33), ...set('0000:03:00.0', 1, 21));
    assert.deepEqual(gsis(ftrace(...both, ...swapped)), { [`${V}/0`]: null, [`${V}/1`]: 'kvm/0/irqfd/24' });
  });

  it('a call of the program that the trace notes tells it, too', () => {
    const told = ftrace(
      ...by('qemu-77', ...set('0000:03:00.0', 0, 21)),
      ...by('qemu-77', 'tracing_mark_write: ioctl(13, KVM_IRQFD, {fd=21, gsi=24, flags=0}) = 0'),
    );
    assert.deepEqual(gsis(told), { [`${V}/0`]: 'kvm/0/irqfd/24' });
    const refused = ftrace(
      ...by('qemu-77', ...set('0000:03:00.0', 0, 21)),
      ...by('qemu-77', 'tracing_mark_write: ioctl(13, KVM_IRQFD, {fd=21, gsi=24, flags=0}) = -1 EBUSY'),
    );
    assert.deepEqual(gsis(refused), { [`${V}/0`]: null });
  });

  it('two virtual machines have eventfds of one number: threads of their own tell them apart, or their process', () => {
    const two = (a: string, b: string, c: string, d: string): Trace =>
      ftrace(
        ...by(a, ...set('0000:03:00.0', 0, 21)),
        ...by(b, ...set('0000:04:00.0', 0, 21)),
        ...by(c, irqfd(21, 24)),
        ...by(d, irqfd(21, 25)),
      );
    const W = 'vfio/0000:04:00.0/2/0';
    const own = { [`${V}/0`]: 'kvm/0/irqfd/24', [W]: 'kvm/0/irqfd/25' };
    assert.deepEqual(gsis(two('qemu-77', 'qemu-88', 'qemu-77', 'qemu-88')), own, 'threads');
    assert.deepEqual(gsis(two('qemu-77', 'qemu-88', 'CPU 0/KVM-78', 'CPU 0/KVM-89')), { [`${V}/0`]: null, [W]: null });
    assert.deepEqual(
      gsis(two('qemu-77 (     77)', 'qemu-88 (     88)', 'CPU 0/KVM-78 (     77)', 'CPU 0/KVM-89 (     88)')),
      own,
      'TGID',
    );
    // One process gives VFIO an eventfd, another one KVM.
    const foreign = ftrace(
      ...by('qemu-77 (     77)', ...set('0000:03:00.0', 0, 21)),
      ...by('qemu-88 (     88)', irqfd(21, 24)),
    );
    assert.deepEqual(gsis(foreign), { [`${V}/0`]: null });
    // A thread of a process that is not known, and nobody else with such an eventfd.
    const likely = ftrace(...by('qemu-77', ...set('0000:03:00.0', 0, 21)), ...by('CPU 0/KVM-78', irqfd(21, 24)));
    assert.deepEqual(gsis(likely), { [`${V}/0`]: 'kvm/0/irqfd/24' });
  });

  it('two vectors that name one GSI: the eventfd of its irqfd says whose it is', () => {
    const text = `
      vfio.bind vfio/0000:03:00.0/2/0 eventfd=21
      vfio.route vfio/0000:03:00.0/2/0 virq=24
      vfio.bind vfio/0000:04:00.0/2/0 eventfd=22
      vfio.route vfio/0000:04:00.0/2/0 virq=24`;
    const W = 'vfio/0000:04:00.0/2/0';
    const assign = (fd: number): string => `irqfd.assign kvm/0/irqfd/24 fd=${fd} release=false resample=false`;
    assert.deepEqual(gsis(story(`${text}\n${assign(22)}`)), { [`${V}/0`]: null, [W]: 'kvm/0/irqfd/24' });
    assert.deepEqual(gsis(story(`${text}\n${assign(30)}`)), { [`${V}/0`]: null, [W]: null });
  });
});

describe('routes of assigned devices in a QEMU log', () => {
  const qemu = (...lines: readonly string[]): Trace =>
    importText(lines.map((line, i) => `7@1.${String(i).padStart(6, '0')}:${line}\n`).join(''));

  it('MSI: QEMU adds the routes before it says that MSI is on (vfio_msi_enable, hw/vfio/pci.c)', () => {
    const lines = [
      'kvm_irqchip_add_msi_route dev vfio-pci vector 0 virq 24',
      'kvm_irqchip_add_msi_route dev vfio-pci vector 1 virq 25',
      'kvm_irqchip_commit_routes ',
      'vfio_msi_enable  (0000:03:00.0) Enabled 2 MSI vectors',
    ];
    assert.deepEqual(gsis(qemu(...lines)), {
      'vfio/0000:03:00.0/1/0': 'kvm/0/route/24',
      'vfio/0000:03:00.0/1/1': 'kvm/0/route/25',
    });
    const off = qemu(...lines, 'kvm_irqchip_release_virq virq 24', 'vfio_msi_disable  (0000:03:00.0)');
    assert.equal(gsis(off)['vfio/0000:03:00.0/1/0'], null);
    assert.deepEqual(gsis(qemu(lines[3]!)), {}, 'a log that begins there tells no route');
  });

  it('MSI: the route is for the capability of the function, and for no entry of a table', () => {
    const trace = qemu(
      'pci_cfg_read vfio-pci 00:01.0 @0x34 -> 0x50',
      'pci_cfg_read vfio-pci 00:01.0 @0x50 -> 0x800005',
      'pci_cfg_write vfio-pci 00:01.0 @0x52 <- 0x81',
      'kvm_irqchip_add_msi_route dev vfio-pci vector 0 virq 24',
      'vfio_msi_enable  (0000:03:00.0) Enabled 1 MSI vectors',
    );
    const [row] = rows(trace).filter(({ gsi }) => gsi !== null);
    assert.deepEqual([row!.entry, row!.gsi], ['device/0000:00:01.0/msi', 'kvm/0/route/24']);
    assert.equal(trace.world.objectAt('device/0000:00:01.0/msix/0'), -1);
  });

  it('a route of another device is not that of the vector that was used last', () => {
    const trace = qemu(
      'vfio_msix_vector_do_use  (0000:03:00.0) vector 0 used',
      'kvm_irqchip_update_msi_route Updating MSI route virq=24',
      'kvm_irqchip_add_msi_route dev virtio-net-pci vector 0 virq 25',
    );
    // The update that follows the use is of its own route.
    assert.deepEqual(gsis(trace), { 'vfio/0000:03:00.0/2/0': 'kvm/0/route/24' });
    const object = trace.world.objectAt('kvm/0/route/25');
    assert.equal(trace.head.text(object, trace.world.type(object)!.at['device']!), 'virtio-net-pci');
  });
});
