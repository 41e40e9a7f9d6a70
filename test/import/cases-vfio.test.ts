// VFIO_DEVICE_SET_IRQS in kernel traces: probes at the function and at its return, and what a program notes of its own calls.
import assert from 'node:assert/strict';
import { Case } from './case.ts';

const HEAD = '        vfiotest-9804    [000] d....   134.';
/** Records of one thread, a microsecond apart. */
const calls = (...payloads: readonly string[]): Case =>
  new Case(payloads.map((p, i) => `${HEAD}${String(i).padStart(6, '0')}: ${p}\n`).join(''));

const OPEN = 'tracing_mark_write: ioctl(6, VFIO_GROUP_GET_DEVICE_FD, "0000:00:03.0") = 7';
const enter = (flags: number, index: number, start: number, count: number, more = ''): string =>
  `set_irqs: (vfio_pci_set_irqs_ioctl+0x0/0xf0 [vfio_pci_core]) flags=0x${flags.toString(16)} index=${index} start=${start} count=${count}${more}`;
const leave = (ret: number): string =>
  `set_irqs_ret: (vfio_pci_core_ioctl+0x914/0x1238 [vfio_pci_core] <- vfio_pci_set_irqs_ioctl) ret=${ret}`;
const note = (flags: string, index: string, start: number, count: number, data: string, result: string): string =>
  `tracing_mark_write: ioctl(7, VFIO_DEVICE_SET_IRQS, {argsz=20, flags=${flags
    .split('|')
    .map((f) => `VFIO_IRQ_SET_${f}`)
    .join('|')}, index=VFIO_PCI_${index}_IRQ_INDEX, start=${start}, count=${count}${data}}) = ${result}`;
const ENABLE = [
  enter(0x24, 2, 0, 3),
  leave(0),
  note('DATA_EVENTFD|ACTION_TRIGGER', 'MSIX', 0, 3, ', data=[8, 9, -1]', '0'),
];
const MSIX = 'vfio/0000:00:03.0/2';

describe('VFIO_DEVICE_SET_IRQS in a kernel trace', () => {
  it('a pair of probes and the note of the caller: eventfds, released vectors, the mode', () => {
    const c = calls(OPEN, ...ENABLE);
    assert.equal(c.info.understood, 4);
    // The probes do not show the eventfds; -1 would release a vector.
    assert.equal(c.at(`${MSIX}/0/used`, 3), null);
    assert.equal(c.at('vfio/0000:00:03.0/msix', 3), true);
    for (const [vector, used, fd] of [
      [0, true, 8],
      [1, true, 9],
      [2, false, null],
    ] as const) {
      assert.equal(c.at(`${MSIX}/${vector}/used`), used);
      assert.equal(c.at(`${MSIX}/${vector}/eventfd`), fd);
    }
    assert.deepEqual(c.events(2), ['vfio.set vfio/0000:00:03.0']);
    assert.equal(c.views(3)[0]!.kind, 'vfio.return');
  });

  it('the same in the words of trace-cmd', () => {
    const c = calls(
      ...[OPEN, ...ENABLE].map((text) => text.replace(/^(?=tracing_mark_write)/, 'print:                ')),
    );
    assert.equal(c.info.understood, 4);
    assert.equal(c.at(`${MSIX}/1/eventfd`), 9);
    assert.equal(c.at(`${MSIX}/2/used`), false);
  });

  it('the index is disabled: nothing of it is used', () => {
    const c = calls(OPEN, ...ENABLE, enter(0x21, 2, 0, 0), leave(0));
    assert.equal(c.at(`${MSIX}/0/used`, 5), true);
    assert.deepEqual([c.at(`${MSIX}/0/used`), c.at(`${MSIX}/0/eventfd`)], [false, null]);
    assert.equal(c.at('vfio/0000:00:03.0/msix'), false);
    const refused = calls(OPEN, ...ENABLE, enter(0x21, 2, 0, 0), leave(-22));
    assert.equal(refused.at(`${MSIX}/0/used`), true);
    const entered = calls(OPEN, ...ENABLE, enter(0x21, 2, 0, 0));
    assert.equal(entered.at(`${MSIX}/0/used`), true, 'without a return nothing tells whether it was done');
  });

  it('results: an error leaves unknown what it may have torn down, a positive one enables nothing', () => {
    const failed = calls(OPEN, ...ENABLE, enter(0x24, 2, 1, 1), leave(-9));
    assert.equal(failed.at(`${MSIX}/1/used`), null);
    assert.equal(failed.at(`${MSIX}/0/used`), true);
    const fewer = calls(OPEN, enter(0x24, 2, 0, 4), leave(2));
    assert.equal(fewer.at(`${MSIX}/3/used`), false);
    assert.equal(fewer.at('vfio/0000:00:03.0/msix'), null);
    // Refused before it reached the function: no probe saw it.
    const early = calls(
      OPEN,
      ...ENABLE,
      note('DATA_EVENTFD|ACTION_TRIGGER', 'MSIX', 0, 1, ', data=[11]', '-1 EINVAL (Invalid argument) errno=22'),
    );
    assert.deepEqual([early.at(`${MSIX}/0/used`), early.at(`${MSIX}/0/eventfd`)], [true, 8]);
  });

  it('mask and unmask of INTx, and signals by software', () => {
    const INTX = 'vfio/0000:00:03.0/0/0';
    const masked = calls(OPEN, enter(0x9, 0, 0, 1), leave(0));
    assert.equal(masked.at(`${INTX}/masked`), true);
    assert.equal(masked.at(`${INTX}/masked`, 2), null);
    assert.equal(
      calls(OPEN, enter(0x9, 0, 0, 1), leave(0), enter(0x11, 0, 0, 1), leave(0)).at(`${INTX}/masked`),
      false,
    );
    assert.equal(calls(OPEN, enter(0x9, 2, 0, 1), leave(-25)).at(MSIX), null);
    assert.equal(calls(OPEN, ...ENABLE, enter(0x21, 2, 0, 2), leave(0)).at(`${MSIX}/1/fires`), 1);
  });

  it('the notes alone, without probes', () => {
    const c = calls(
      OPEN,
      note('DATA_EVENTFD|ACTION_TRIGGER', 'MSIX', 1, 1, ', data=[9]', '0'),
      note('DATA_NONE|ACTION_TRIGGER', 'MSIX', 1, 1, '', '0'),
      note('DATA_NONE|ACTION_MASK', 'INTX', 0, 1, '', '0'),
    );
    assert.deepEqual([c.at(`${MSIX}/1/used`), c.at(`${MSIX}/1/eventfd`), c.at(`${MSIX}/1/fires`)], [true, 9, 1]);
    assert.equal(c.at('vfio/0000:00:03.0/0/0/masked'), true);
  });

  it('the device: of the thread, named by an argument, or not known', () => {
    const named = calls(enter(0x24, 2, 5, 1, ' dev="0000:81:00.1" fd=12'), leave(0));
    assert.deepEqual([named.at('vfio/0000:81:00.1/2/5/used'), named.at('vfio/0000:81:00.1/2/5/eventfd')], [true, 12]);
    const other = OPEN.replace('00:03.0', '00:04.0').replace('= 7', '= 9');
    for (const c of [calls(enter(0x24, 2, 0, 1), leave(0)), calls(OPEN, other, enter(0x24, 2, 0, 1), leave(0))])
      assert.equal(c.at('vfio/0000:00:03.0'), null);
    const closed = calls(OPEN, 'tracing_mark_write: close(7) /* device */ = 0', enter(0x24, 2, 0, 1), leave(0));
    assert.equal(closed.at('vfio/0000:00:03.0'), null);
    assert.equal(calls(OPEN, enter(0x24, 2, 0xffffffff, 2), leave(0)).info.understood, 3);
  });

  it('the thread is the same, whatever it is called', () => {
    const c = new Case(
      [OPEN, ...ENABLE]
        .map(
          (p, i) =>
            `${i === 0 ? HEAD.replace('   vfiotest', '      <...>') : HEAD}${String(i).padStart(6, '0')}: ${p}\n`,
        )
        .join(''),
    );
    assert.equal(c.at(`${MSIX}/1/eventfd`), 9);
    const other = new Case(
      [OPEN, ...ENABLE]
        .map((p, i) => `${i === 0 ? HEAD : HEAD.replace('9804', '9805')}${String(i).padStart(6, '0')}: ${p}\n`)
        .join(''),
    );
    assert.equal(other.at(MSIX), null, 'another thread');
  });

  it('the device: the kernel’s object that an earlier call was about', () => {
    const [first, second] = ['0xffff8881041c8000', '0xffff888104a2c000'];
    const named = enter(0x24, 2, 0, 1, ` vdev=${first} dev="0000:81:00.1"`);
    const c = calls(named, leave(0), enter(0x24, 2, 1, 1, ` vdev=${first} fd=5`), leave(0));
    assert.deepEqual([c.at('vfio/0000:81:00.1/2/1/used'), c.at('vfio/0000:81:00.1/2/1/eventfd')], [true, 5]);
    const unknown = calls(named, leave(0), enter(0x24, 2, 1, 1, ` vdev=${second} fd=5`), leave(0));
    assert.equal(unknown.at('vfio/0000:81:00.1/2/1'), null);
  });

  it('a handler shows that its vector is used; a call about an unknown device puts that in doubt', () => {
    const runs = (name: string): string => `irq_handler_entry: irq=28 name=${name}`;
    const c = calls(runs('vfio-msix[3](0000:81:00.1)'), runs('vfio-msix[3](0000:81:00.1)'));
    assert.deepEqual([c.at('vfio/0000:81:00.1/2/3/used'), c.at('vfio/0000:81:00.1/2/3/fires')], [true, 2]);
    assert.deepEqual(c.events(2).slice(1), ['vfio.fire vfio/0000:81:00.1/2/3']);
    for (const [what, used] of [
      [enter(0x24, 2, 0, 8), null],
      [enter(0x24, 2, 3, 1), null],
      [enter(0x21, 2, 0, 0), null],
      [enter(0x24, 2, 4, 1), true],
      [enter(0x24, 1, 3, 1), true],
      [enter(0x21, 2, 3, 1), true],
      [enter(0x09, 2, 3, 1), true],
    ] as const) {
      assert.equal(calls(runs('vfio-msix[3](0000:81:00.1)'), what).at('vfio/0000:81:00.1/2/3/used'), used, what);
      assert.equal(
        calls(runs('vfio-msix[3](0000:81:00.1)'), what, runs('vfio-msix[3](0000:81:00.1)')).at(
          'vfio/0000:81:00.1/2/3/used',
        ),
        true,
      );
    }
    assert.equal(calls(runs('vfio-msi[0](0000:81:00.1)')).at('vfio/0000:81:00.1/1/0/used'), true);
    assert.equal(calls(runs('vfio-intx(0000:81:00.1)')).at('vfio/0000:81:00.1/0/0/used'), true);
  });

  it('the GSI that KVM injects for the eventfd, whichever is set up first', () => {
    const irqfd = (flags: number): string => `p: (kvm_irqfd+0x0/0x5a0 [kvm]) fd=9 gsi=24 flags=${flags}`;
    assert.equal(calls(OPEN, ...ENABLE, irqfd(0)).at(`${MSIX}/1/virq`), 24);
    assert.equal(calls(irqfd(0), OPEN, ...ENABLE).at(`${MSIX}/1/virq`), 24);
    assert.equal(calls(OPEN, ...ENABLE, irqfd(0), irqfd(1)).at(`${MSIX}/1/virq`), null);
    assert.equal(calls(OPEN, ...ENABLE, irqfd(0)).at(`${MSIX}/0/virq`), null);
  });
});
