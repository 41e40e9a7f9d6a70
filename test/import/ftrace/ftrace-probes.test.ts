// Probes (kprobes, fprobes, eprobes), which are the only way to see MSI message writes, masks, VFIO and irqfd calls: the kernel
// has no tracepoint there. Their names and the names of their arguments are the user's; the function that they sit on counts.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { wholly } from '../samples.ts';

const HEAD = '          <idle>-0       [002] d.h1.    10.934596: ';
const of = (payload: string): string[] => wholly(`# tracer: nop\n${HEAD}${payload}\n`).events;

describe('probes at events', () => {
  it('are noted, under any name', () => {
    assert.deepEqual(of('mine: (irq.irq_handler_entry) desc=0xff'), [
      'probe probe name=mine text=(irq.irq_handler_entry) desc=0xff',
    ]);
  });
});

describe('probes on functions that mean something', () => {
  it('messages that the kernel writes into a device, under any name of probe and argument', () => {
    const written = 'msg.write irq/28 hwirq=2 address=0xfee002d8 data=0x0';
    assert.deepEqual(
      of('msiwrite: (pci_msi_domain_write_msg+0x4/0x30) irq=28 hwirq=0x2 lo=0xfee002d8 hi=0x0 data=0x0'),
      [written],
    );
    assert.deepEqual(
      of('p_3: (__pci_write_msi_msg+0x0/0x210) virq=28 index=2 addr_lo=0xfee002d8 addr_hi=0 msg_data=0'),
      [written],
    );
    assert.deepEqual(of('x: (__pci_write_msi_msg+0x0/0x210) irq=22 lo=0xfffff040 hi=0x1 data=0x3'), [
      'msg.write irq/22 address=0x1fffff040 data=0x3',
    ]);
    assert.deepEqual(of('x: (pci_write_msi_msg+0x0/0x210 [mod]) irq=22 address=0x1fffff040 data=0x3'), [
      'msg.write irq/22 address=0x1fffff040 data=0x3',
    ]);
  });

  it('masks and unmasks; a composed hwirq of older kernels names function and table index', () => {
    assert.deepEqual(of('m: (pci_irq_mask_msix+0x0/0x40) irq=28 hwirq=2'), ['irq.mask irq/28 masked=true hwirq=2']);
    assert.deepEqual(of('m: (pci_irq_unmask_msix+0x0/0x40) irq=28'), ['irq.mask irq/28 masked=false']);
    // Requester id in bits 26:11 (03:00.0 is 0x300), segment above (pci_msi_domain_calc_hwirq).
    assert.deepEqual(of('m: (pci_msi_mask_irq+0x0/0x40) irq=28 hwirq=0x180002'), [
      'irq.identify irq/28 device=0000:03:00.0 hwirq=2',
      'irq.mask irq/28 masked=true hwirq=2',
    ]);
    assert.deepEqual(of('m: (pci_msi_unmask_irq+0x0/0x40) irq=28 hwirq=524290'), [
      'irq.identify irq/28 device=0000:01:00.0 hwirq=2',
      'irq.mask irq/28 masked=false hwirq=2',
    ]);
    assert.deepEqual(of('w: (__pci_write_msi_msg+0x0/0x10) irq=28 hwirq=0x5000fc000 lo=0xfee00000 hi=0x0 data=0x22'), [
      'irq.identify irq/28 device=00a0:01:1f.0 hwirq=0',
      'msg.write irq/28 hwirq=0 address=0xfee00000 data=0x22',
    ]);
    const beyond = of('m: (pci_msi_mask_irq+0x0/0x40) irq=28 hwirq=0xffffffffffffffff');
    assert.deepEqual(beyond, ['irq.mask irq/28 masked=true']);
    assert.deepEqual(of('m: (pci_irq_unmask_msi+0x0/0x40) irq=28 hwirq=0'), ['irq.mask irq/28 masked=false hwirq=0']);
  });

  it('LPIs of an ITS', () => {
    assert.deepEqual(of('set_affinity: (its_set_affinity+0x0/0x178) irq=22 lpi=8192 mask=0x1 force=0'), [
      'irq.affinity irq/22 mask=0x1 lpi=8192',
    ]);
    assert.deepEqual(of('activate: (its_irq_domain_activate+0x0/0x90) irq=22 lpi=8192'), [
      'irq.identify irq/22 lpi=8192',
      'dom.activate irq/22 domain=ITS activate=true',
    ]);
    // The hwirq of an ITS is the LPI (its_irq_domain_alloc), no place in the table of a function.
    assert.deepEqual(of('mask: (its_mask_irq+0x0/0x48) irq=22 hwirq=8197'), [
      'irq.identify irq/22 lpi=8197',
      'irq.mask irq/22 masked=true',
    ]);
    assert.deepEqual(of('unmask: (its_unmask_irq+0x0/0x48) irq=22 lpi=0x2000'), [
      'irq.identify irq/22 lpi=8192',
      'irq.mask irq/22 masked=false',
    ]);
  });

  it('doorbells belong to the controller that asks: to each ITS its own, or to a GICv2m frame', () => {
    const told = (...payloads: string[]): string[] =>
      wholly(`# tracer: nop\n${payloads.map((payload) => `${HEAD}${payload}\n`).join('')}`).events.filter(
        (event) => !event.startsWith('dom.alloc'),
      );
    const call = (doorbell: string): string => `p: (iommu_dma_prepare_msi+0x0/0x288) irq=0 doorbell=${doorbell}`;
    const alloc = 'alloc: (its_irq_domain_alloc+0x0/0x220) virq=22 nr=1';
    const back = (caller: string): string => `r: (${caller}+0xec/0x220 <- iommu_dma_prepare_msi) ret=0`;
    const note = (event: string): boolean => event.startsWith('probe ');
    const facts = (events: string[]): string[] => events.filter((event) => !note(event));
    assert.deepEqual(facts(told(alloc, call('0x8090040'))), ['its.doorbell its/0 address=0x8090040']);
    assert.deepEqual(facts(told(call('0x8090040'), back('its_irq_domain_alloc'))), [
      'its.doorbell its/0 address=0x8090040',
    ]);
    // Since Linux 6.15 it calls another function, which may be probed, too: its address is known by then.
    for (const name of ['iommu_dma_sw_msi', 'iommufd_sw_msi']) {
      const inner = `q: (${name}+0x0/0x288) doorbell=0x8090040`;
      assert.deepEqual(facts(told(alloc, inner)), ['its.doorbell its/0 address=0x8090040'], name);
      assert.deepEqual(
        facts(told(alloc, call('0x8090040'), inner)),
        ['its.doorbell its/0 address=0x8090040', 'its.doorbell its/0 address=0x8090040'],
        name,
      );
      assert.deepEqual(
        facts(
          told(call('0x8020040'), inner.replace('9', '2'), back('gicv2m_irq_domain_alloc'), inner.replace('9', '2')),
        ),
        ['gic.frame gic/0/frame/0 doorbell=0x8020040', 'gic.frame gic/0/frame/0 doorbell=0x8020040'],
        name,
      );
    }
    // Two ITSs: the doorbell tells one from the other.
    assert.deepEqual(facts(told(...['0x8090040', '0x48090040', '0x8090040'].flatMap((at) => [alloc, call(at)]))), [
      'its.doorbell its/0 address=0x8090040',
      'its.doorbell its/1 address=0x48090040',
      'its.doorbell its/0 address=0x8090040',
    ]);
    // arm64-gicv2m: prepare_msi_ret: (gicv2m_irq_domain_alloc+0x114/0x2e8 <- iommu_dma_prepare_msi) ret=0
    assert.deepEqual(facts(told(call('0x8020040'), back('gicv2m_irq_domain_alloc'))), [
      'gic.frame gic/0/frame/0 doorbell=0x8020040',
    ]);
    // Nothing tells whose it is.
    assert.deepEqual(facts(told(call('0x8020040'))), []);
    assert.deepEqual(facts(told(call('0x8020040'), back('mbi_allocate_spi'))), []);
    assert.deepEqual(facts(told(back('its_irq_domain_alloc'))), []);
  });

  it('VFIO and irqfds', () => {
    assert.deepEqual(
      of('vfio_set_irqs_ioctl: (vfio_pci_set_irqs_ioctl+0x4/0x180 [vfio_pci_core]) flags=0x24 index=2 start=0 count=1'),
      ['vfio.set vfio/ioctl flags=0x24 index=2 start=0 count=1'],
    );
    assert.deepEqual(of('irqfd_wakeup: (irqfd_wakeup+0x4/0x200 [kvm])'), ['irqfd.wakeup kvm/0/irqfd']);
    assert.deepEqual(of('irqfd_assign: (kvm_irqfd+0x4/0x600 [kvm]) fd=21 gsi=24 flags=0'), [
      'irqfd.assign kvm/0/irqfd/24 fd=21 release=false resample=false',
    ]);
    const { trace } = wholly(
      `# tracer: nop\n${HEAD}a: (kvm_irqfd+0x4/0x600 [kvm]) fd=21 gsi=24 flags=2\n${HEAD}a: (kvm_irqfd+0x4/0x600 [kvm]) fd=21 gsi=24 flags=1\n`,
    );
    const at = (step: number, key: string): unknown => pathValue(trace.stateAt(step), `kvm/0/irqfd/24/${key}`);
    assert.deepEqual([at(1, 'fd'), at(1, 'resample')], [21, true]);
    assert.equal(at(2, 'fd'), null, 'deassigned');
  });

  it('the return of kvm_irqfd ends the call of its thread; one that failed changed nothing', () => {
    const call = (flags: number, ret: string): string =>
      `${HEAD}a: (kvm_irqfd+0x4/0x600 [kvm]) fd=21 gsi=24 flags=${flags}\n${HEAD}b: (kvm_vm_ioctl+0x1a2/0x9c0 [kvm] <- kvm_irqfd) ret=${ret}\n`;
    const { trace, events } = wholly(
      `# tracer: nop\n${call(0, '0xffffffea')}${call(2, '0')}${call(1, '-9')}${call(1, '0x0')}`,
    );
    assert.deepEqual(
      events.filter((text) => text.startsWith('irqfd.return')),
      [
        'irqfd.return kvm/0/irqfd/24 release=false ret=-22',
        'irqfd.return kvm/0/irqfd/24 release=false ret=0',
        'irqfd.return kvm/0/irqfd/24 release=true ret=-9',
        'irqfd.return kvm/0/irqfd/24 release=true ret=0',
      ],
    );
    const there = (step: number): boolean => trace.stateAt(step).present(trace.world.objectAt('kvm/0/irqfd/24'));
    assert.deepEqual([there(1), there(2)], [true, false], 'the first call tied nothing');
    assert.equal(there(4), true);
    // A return without its call is a note.
    assert.deepEqual(of('b: (kvm_vm_ioctl+0x1a2/0x9c0 [kvm] <- kvm_irqfd) ret=0'), [
      'probe probe name=b text=(kvm_vm_ioctl+0x1a2/0x9c0 [kvm] <- kvm_irqfd) ret=0',
    ]);
  });
});

describe('other probes', () => {
  const note = (name: string, text: string): string[] => [`probe probe name=${name} text=${text}`];

  it('are kept as notes', () => {
    for (const [name, text] of [
      ['myprobe', '(do_sys_open+0x0/0xd6) dfd=3 filename=7fffd1ec4440 flags=8000 mode=0'],
      ['vfio_msihandler', '(vfio_msihandler+0x4/0x20 [vfio_pci_core]) irq=28'],
      ['set_affinity_ret', '(msi_domain_set_affinity+0x48/0xd0 <- its_set_affinity) ret=2'],
      ['r', '(do_syscall_64+0x5c/0x90 <- __x64_sys_openat) arg1=0x3'],
    ] as const)
      assert.deepEqual(of(`${name}: ${text}`), note(name, text));
  });

  it('a return probe of a known function is no call of it', () => {
    const text = '(ret_from+0x1/0x2 <- __pci_write_msi_msg) irq=28 lo=0x1 data=0x2';
    assert.deepEqual(of(`r: ${text}`), note('r', text));
    // The symbol in front is where it returns to.
    const into = '(__pci_write_msi_msg+0x1/0x2 <- readl) irq=28 lo=0x1 data=0x2';
    assert.deepEqual(of(`r: ${into}`), note('r', into));
  });

  it('a probe that fetched too little is a note', () => {
    for (const text of [
      '(__pci_write_msi_msg+0x0/0x210) irq=28',
      '(its_set_affinity+0x0/0x1) lpi=1',
      '(kvm_vcpu_kick+0x0/0x1)',
    ])
      assert.deepEqual(of(`p: ${text}`), note('p', text));
  });

  it('a probe may have the name of an event', () => {
    const text = '(iommu_map+0x0/0x10) iova=0x1000';
    assert.deepEqual(of(`map: ${text}`), note('map', text));
  });
});
