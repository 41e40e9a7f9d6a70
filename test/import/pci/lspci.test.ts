// lspci in all its forms: expected values are those that the lines themselves show.
import assert from 'node:assert/strict';
import { stateTree } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureLines, fixtureTrace, importText } from '../../helpers/fixtures.ts';
import { sample, wholly } from '../samples.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are JSON, looked at as users do.
type Json = any;

/** The devices of the state at the end. */
const devices = (trace: Trace): Json => (stateTree(trace.stateAt(trace.length - 1)) as Json).device;

const NVME = '0000:00:03.0';

describe('lspci', () => {
  it('plain: class, vendor and device', () => {
    const { events } = wholly('00:03.0 Non-Volatile memory controller: Intel Corporation NVMe (rev 02)\n');
    assert.deepEqual(events, [
      'snap.function device/0000:00:03.0 class=Non-Volatile memory controller model=Intel Corporation NVMe',
    ]);
  });

  it('classes of pci.ids whose name begins with a digit', () => {
    for (const name of ['3D controller', '802.1a controller', '802.1b controller']) {
      const { events } = wholly(`00:01.0 ${name}: Some Corp Radio (rev 01)\n`);
      assert.deepEqual(events, [`snap.function device/0000:00:01.0 class=${name} model=Some Corp Radio`]);
    }
  });

  it('-n and -nn: the numbers, also as old versions print them', () => {
    for (const text of [
      '00:04.0 0200: 8086:10d3 (rev 01)',
      '00:04.0 Class 0200: 8086:10d3 (rev 01)',
      '00:04.0 Ethernet controller [0200]: Intel Corporation 82574L [8086:10d3] (rev 01)',
    ]) {
      const { trace } = wholly(`${text}\n`);
      assert.equal(devices(trace)['0000:00:04.0'].vendor, '0x10d38086', text);
    }
  });

  it('without the file of names: numbers in words', () => {
    for (const text of ['00:04.0 Class 0200: Device 8086:10d3 (rev 01)', '00:04.0 Class [0200]: Device [8086:10d3]']) {
      const { class: name, vendor, model } = devices(wholly(`${text}\n`).trace)['0000:00:04.0'];
      assert.deepEqual([name, vendor, model], ['0200', '0x10d38086', 'Device 8086:10d3'], text);
    }
  });

  it('-D and segments: a function without one is in segment 0000', () => {
    const { trace } = wholly(
      '0000:00:01.0 Host bridge: A B\n10000:e1:00.0 Non-Volatile memory controller: C D\n00:02.7 3D controller: E F\n',
    );
    assert.deepEqual(Object.keys(devices(trace)).sort(), ['0000:00:01.0', '0000:00:02.7', '10000:e1:00.0']);
    const behind = wholly('10000:00:01.0/e1:00.0 Non-Volatile memory controller: C D\n').trace;
    assert.deepEqual(Object.keys(devices(behind)), ['10000:e1:00.0'], '-PP: bridges stand in front');
  });

  it('-mm and -vmmk: for machines', () => {
    const machine =
      '00:03.0 "Non-Volatile memory controller" "Intel \\"I\\"" "NVMe" -r02 "Red Hat, Inc." "Device 1100"\n';
    const first = devices(wholly(machine).trace)[NVME];
    assert.equal(first.class, 'Non-Volatile memory controller');
    assert.equal(first.model, 'Intel "I" NVMe');
    const lines = 'Slot:\t00:03.0\nClass:\tNon-Volatile memory controller\nVendor:\tIntel\nDevice:\tNVMe\nRev:\t02\n';
    const { trace } = wholly(`${lines}Driver:\tnvme\nModule:\tnvme\nNUMANode:\t1\nIOMMUGroup:\t7\n`);
    const { driver, name, node, group } = devices(trace)[NVME];
    assert.deepEqual([driver, name, node, group], ['nvme', 'nvme', 1, 7]);
  });

  it('-v: flags tell BusMaster, irq, node and group; regions have no numbers', () => {
    const { trace } = wholly(
      [
        '00:03.0 Non-Volatile memory controller: Intel NVMe (prog-if 02 [NVM Express])',
        '\tSubsystem: Intel Device 1100',
        '\tFlags: bus master, fast devsel, latency 0, IRQ 28, NUMA node 1, IOMMU group 12',
        '\tMemory at febf0000 (64-bit, non-prefetchable) [size=16K]',
        '\tCapabilities: [40] MSI-X: Enable+ Count=65 Masked-',
        '\tCapabilities: [60] Express Root Complex Integrated Endpoint, MSI 00',
        '\tKernel driver in use: nvme',
        '\tKernel modules: nvme',
        '',
      ].join('\n'),
    );
    const dev = devices(trace)[NVME];
    assert.deepEqual([dev.command.busMaster, dev.command.memory], [true, null]);
    assert.deepEqual([dev.irq, dev.node, dev.group, dev.driver], [28, 1, 12, 'nvme']);
    const { enable, fmask, size, tableBar } = dev.msixcap;
    assert.deepEqual([enable, fmask, size, tableBar], [true, false, 65, null]);
    assert.equal(dev.bar, undefined);
  });

  it('-v without BusMaster: the flag is known to be off', () => {
    const { trace } = wholly('00:03.0 USB controller: A B\n\tFlags: medium devsel, IRQ 5\n');
    assert.equal(devices(trace)[NVME].command.busMaster, false);
  });

  it('-vv of version 3.15: pin, whether it is disabled, and the irqs of messages', () => {
    const line = (text: string) => {
      const { trace } = wholly(`00:03.0 Ethernet controller: A B\n\t${text}\n`);
      const dev = devices(trace)[NVME];
      const irqs = Object.entries(stateTree(trace.head).irq ?? {})
        .filter(([, irq]) => (irq as { readonly device: string }).device === '0000:00:03.0')
        .map(([number]) => Number(number));
      return [dev.pin ?? null, dev.irq ?? null, irqs];
    };
    assert.deepEqual(line('Interrupts: pin B disabled, MSI(X) routed to IRQ 30-34'), [2, null, [30, 31, 32, 33, 34]]);
    assert.deepEqual(line('Interrupts: pin A routed to IRQ 16, MSI(X) routed to IRQ 40, 42-43'), [1, 16, [40, 42, 43]]);
    assert.deepEqual(line('Interrupts: MSI(X) routed to IRQ 7'), [null, null, [7]]);
    assert.deepEqual(line('Interrupts: pin #7 disabled'), [null, null, []]);
    assert.deepEqual(line('Interrupts: pin D routed to IRQ 10'), [4, 10, []]);
    assert.deepEqual(line('Interrupts: unknown pin routed to IRQ 10'), [null, 10, []]);
  });

  it('-vv of version 3.15: a range that no function has is no line of lspci', () => {
    const trace = importText('00:03.0 Ethernet controller: A B\n\tInterrupts: MSI(X) routed to IRQ 1-9999999\n');
    assert.equal(stateTree(trace.head).irq, undefined);
    assert.deepEqual([...trace.first.accounting.unknown], [['Interrupts', 1]]);
  });

  it('two capabilities of MSI: that of the list comes first that software uses (the AMD IOMMU of QEMU)', () => {
    const text = [
      '00:01.0 IOMMU: Advanced Micro Devices, Inc. [AMD] Unit',
      '\tCapabilities: [60] MSI: Enable+ Count=1/1 Maskable- 64bit+',
      '\t\tAddress: 00000000fee02000  Data: 0020',
      '\tCapabilities: [5c] HyperTransport: Slave or Primary Interface',
      '\tCapabilities: [58] MSI: Enable- Count=1/1 Maskable- 64bit-',
      '\t\tAddress: 00005808  Data: 5c05',
    ];
    const dump = [
      '30: 00 00 00 00 60 00 00 00 00 00 00 00 00 00 00 00',
      '40: 0f 00 03 1f 00 00 d8 fe 00 00 00 00 00 00 00 ff',
      '50: 40 28 18 00 00 00 00 00 05 40 00 00 08 58 00 00',
      '60: 05 5c 81 00 00 20 e0 fe 00 00 00 00 20 00 00 00',
    ];
    for (const lines of [text, [...text, ...dump], [text[0]!, ...dump]]) {
      const { msiAt, msi } = devices(wholly(`${lines.join('\n')}\n`).trace)['0000:00:01.0'];
      assert.deepEqual([msiAt, msi.enable, msi.address.value, msi.data.value], ['0x60', true, '0xfee02000', '0x20']);
    }
  });

  it('-vv: Command, pin and irq, regions, MSI with message, mask and pending bits', () => {
    const { trace } = wholly(
      [
        '00:03.0 Ethernet controller: A B',
        '\tControl: I/O- Mem+ BusMaster- SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+',
        '\tInterrupt: pin B routed to IRQ 11',
        '\tNUMA node: 0',
        '\tRegion 0: Memory at 38ffffe00000 (64-bit, prefetchable) [size=2M]',
        '\tRegion 2: I/O ports at c040 [disabled] [size=32]',
        '\tRegion 4: Memory at <unassigned> (32-bit, non-prefetchable) [disabled] [size=4K]',
        '\tRegion 5: Memory at fe000000 (32-bit, non-prefetchable) [virtual] [size=64]',
        '\tExpansion ROM at fe700000 [disabled] [size=256K]',
        '\tCapabilities: [50] MSI: Enable+ Count=2/8 Maskable+ 64bit+',
        '\t\tAddress: 00000001fee01004  Data: 4023',
        '\t\tMasking: 0000000c  Pending: 00000004',
        '',
      ].join('\n'),
    );
    const dev = devices(trace)[NVME];
    assert.deepEqual([dev.command.memory, dev.command.busMaster, dev.command.intxDisable], [true, false, true]);
    assert.deepEqual([dev.pin, dev.irq, dev.node], [2, 11, 0]);
    assert.deepEqual(dev.bar, {
      0: { address: '0x38ffffe00000', size: '0x200000', mapped: true, io: false },
      2: { address: '0xc040', size: '0x20', mapped: false, io: true },
      4: { address: null, size: '0x1000', mapped: false, io: false },
      5: { address: '0xfe000000', size: '0x40', mapped: null, io: false },
      6: { address: '0xfe700000', size: '0x40000', mapped: false, io: false },
    });
    const { enable, control, address, data, mask, pending } = dev.msi;
    assert.equal(enable, true);
    assert.deepEqual([control.fields.multipleEnable, control.fields.multipleCapable], [1, 3]);
    assert.deepEqual([control.fields.maskable, control.fields.address64], [true, true]);
    assert.deepEqual([address.value, data.value, mask.value, pending.value], ['0x1fee01004', '0x4023', '0xc', '0x4']);
    assert.equal(dev.msiAt, '0x50');
  });

  it('regions that only the kernel knows, in the words of lspci up to 3.6', () => {
    // show_bases() and show_rom() of pciutils 3.0 to 3.6.
    const { trace } = wholly(
      [
        '00:03.0 Ethernet controller: A B',
        '\tRegion 0: [virtual] Memory at fe000000 (64-bit, prefetchable) [size=16K]',
        '\tRegion 2: [virtual] I/O ports at c040 [size=32]',
        '\tRegion 3: [enhanced] Memory at fd000000 (32-bit, non-prefetchable) [size=4K]',
        '\t[virtual] Expansion ROM at f0100000 [disabled] [size=2K]',
        '',
      ].join('\n'),
    );
    assert.deepEqual(devices(trace)[NVME].bar, {
      0: { address: '0xfe000000', size: '0x4000', mapped: null, io: false },
      2: { address: '0xc040', size: '0x20', mapped: null, io: true },
      3: { address: '0xfd000000', size: '0x1000', mapped: true, io: false },
      6: { address: '0xf0100000', size: '0x800', mapped: null, io: false },
    });
  });

  it('MSI and MSI-X in the words of lspci 3.0 and 2.x', () => {
    for (const [text, enable, granted, capable] of [
      ['MSI: Mask- 64bit+ Count=1/4 Enable+', true, 0, 2],
      ['Message Signalled Interrupts: Mask- 64bit+ Queue=0/2 Enable-', false, 0, 2],
      ['Message Signalled Interrupts: 64bit+ Queue=1/2 Enable+', true, 1, 2],
    ] as const) {
      const { trace } = wholly(`00:03.0 Ethernet controller: A B\n\tCapabilities: [50] ${text}\n`);
      const { msi } = devices(trace)[NVME];
      assert.deepEqual(
        [msi.enable, msi.control.fields.multipleEnable, msi.control.fields.multipleCapable],
        [enable, granted, capable],
        text,
      );
    }
    const old = '\tCapabilities: [b0] MSI-X: Enable+ Mask- TabSize=3\n\t\tVector table: BAR=4 offset=00002008\n';
    const { msixcap } = devices(wholly(`00:03.0 Ethernet controller: A B\n${old}`).trace)[NVME];
    assert.deepEqual(
      [msixcap.enable, msixcap.fmask, msixcap.size, msixcap.tableBar, msixcap.tableOffset, msixcap.pbaBar],
      [true, false, 3, 4, 0x2008, null],
    );
  });

  it('SR-IOV, ATS, PRI and PASID', () => {
    const { trace } = wholly(
      [
        '3b:00.0 Ethernet controller: Mellanox Technologies MT27800',
        '\tCapabilities: [150 v1] Alternative Routing-ID Interpretation (ARI)',
        '\t\tARICap:\tMFVC- ACS-, Next Function: 1',
        '\tCapabilities: [180 v1] Single Root I/O Virtualization (SR-IOV)',
        '\t\tIOVCap:\tMigration- 10BitTagReq- IntMsgNum 0',
        '\t\tIOVCtl:\tEnable+ Migration- Interrupt- MSE+ ARIHierarchy+ 10BitTagReq-',
        '\t\tIOVSta:\tMigration-',
        '\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: 2, Function Dependency Link: 00',
        '\t\tVF offset: 2, stride: 1, Device ID: 1018',
        '\t\tSupported Page Size: 000007ff, System Page Size: 00000001',
        '\t\tRegion 0: Memory at 00000000fe800000 (64-bit, prefetchable)',
        '\t\tVF Migration: offset: 00000000, BIR: 0',
        '\tCapabilities: [1c0 v1] Address Translation Service (ATS)',
        '\t\tATSCap:\tInvalidate Queue Depth: 00',
        '\t\tATSCtl:\tEnable+, Smallest Translation Unit: 00',
        '\tCapabilities: [1d0 v1] Page Request Interface (PRI)',
        '\t\tPRICtl: Enable- Reset-',
        '\tCapabilities: [1e0 v1] Process Address Space ID (PASID)',
        '\t\tPASIDCtl: Enable+ Exec- Priv-',
        '',
      ].join('\n'),
    );
    const {
      vfs,
      totalVfs,
      atsEnabled: ats,
      priEnabled: pri,
      pasidEnabled: pasid,
      bar,
    } = devices(trace)['0000:3b:00.0'];
    assert.deepEqual([vfs, totalVfs, ats, pri, pasid], [2, 8, true, false, true]);
    assert.equal(bar, undefined, 'the regions of virtual functions are none of the function');
  });

  it('run by another user than root: capabilities are not known, and not absent', () => {
    const { trace, info } = wholly(
      '00:03.0 Ethernet controller: A B\n\tRegion 0: Memory at fe780000 (32-bit, non-prefetchable) [size=128K]\n\tCapabilities: <access denied>\n\tKernel driver in use: e1000e\n',
    );
    const dev = devices(trace)[NVME];
    assert.equal(dev.msixcap, undefined);
    assert.equal(dev.msixAt, null);
    assert.equal(dev.driver, 'e1000e');
    assert.equal(info.withoutEffect['what only root may read'], 1);
  });

  it('a driver that is gone: modules are listed, and no driver', () => {
    const bound = '00:03.0 Ethernet controller: A B\n\tKernel driver in use: e1000e\n\tKernel modules: e1000e\n\n';
    const { trace } = wholly(`${bound}00:03.0 Ethernet controller: A B\n\tKernel modules: e1000e\n`);
    const { driver, name } = devices(trace)[NVME];
    assert.deepEqual([driver, name], [null, 'A B']);
  });

  it('text and bytes of one dump that disagree: an event and a problem, and the bytes hold', () => {
    const lines = fixtureLines('x86-vtd/snap-lspci-funcmasked.txt').map(({ text }) => text);
    const at = lines.findIndex((line) => line.includes('MSI-X: Enable+ Count=5 Masked+'));
    assert.ok(at > 0, 'the capture shows a function mask that is set');
    lines[at] = lines[at]!.replace('Masked+', 'Masked-');
    const { trace, info, events } = sample(`${lines.join('\n')}\n`);
    const told = events.filter((event) => event.startsWith('snap.differs'));
    assert.deepEqual(told, [
      `snap.differs device/0000:00:04.0 line=${at + 1} text=MSI-X: Enable+ Count=5 Masked- bytes=0xc004 in 2 bytes at 0xa2`,
    ]);
    assert.match(info.problem ?? '', new RegExp(`^line ${at + 1}: the text says .*Masked-`));
    assert.equal(devices(trace)['0000:00:04.0'].msixcap.fmask, true);
  });

  it('a function that does not answer: its bytes tell nothing', () => {
    const rows = Array.from({ length: 16 }, (_, i) => `${i.toString(16)}0:${' ff'.repeat(16)}`);
    const { trace } = wholly(
      `00:03.0 Ethernet controller: A B (rev ff) (prog-if ff)\n\t!!! Unknown header type 7f\n${rows.join('\n')}\n`,
    );
    const dev = devices(trace)[NVME];
    assert.deepEqual([dev.vendor, dev.command.busMaster, dev.msixAt], [null, null, null]);
  });

  it('-x of 64 bytes: the header, without capabilities; the BAR without a size', () => {
    const { trace } = wholly(
      [
        '00:04.0 Ethernet controller: A B',
        '00: 86 80 d3 10 07 05 10 00 00 00 00 02 00 00 00 00',
        '10: 04 00 78 fe 01 00 00 00 41 c0 00 00 00 00 00 00',
        '20: 00 00 00 00 00 00 00 00 00 00 00 00 86 80 00 00',
        '30: 00 00 00 00 c8 00 00 00 00 00 00 00 0a 01 00 00',
        '',
      ].join('\n'),
    );
    const dev = devices(trace)['0000:00:04.0'];
    assert.deepEqual([dev.vendor, dev.command.value, dev.msixAt], ['0x10d38086', '0x507', null]);
    assert.deepEqual(dev.bar, {
      0: { address: '0x1fe780000', size: null, mapped: null, io: false },
      2: { address: '0xc040', size: null, mapped: null, io: true },
    });
  });

  it('a line that no version prints is counted under its name', () => {
    const { info } = sample('00:03.0 Ethernet controller: A B\n\tFlux capacity: 1.21 GW\n');
    assert.deepEqual(info.unknown, { 'Flux capacity': 1 });
  });

  it('lines without the function that they are of are skipped, and said so', () => {
    const { info } = sample(
      '00:03.0 Ethernet controller: A B\n\tCapabilities: [50] MSI: Enable- Count=1/1 Maskable- 64bit+\nThe others:\n\tCapabilities: [d0] MSI: Enable+ Count=1/1 Maskable- 64bit+\n',
    );
    assert.deepEqual(info.skipped, { 'a line of a function that is not told': 1 });
  });

  it('a file that ends within a line loses that line only', () => {
    const { trace, info } = sample('00:03.0 Ethernet controller: A B\n\tControl: I/O+ Mem+ BusMas');
    assert.deepEqual(info.skipped, { 'cut off at the end of the file': 1 });
    assert.equal(devices(trace)[NVME].model, 'A B');
    for (const row of ['00: 86 80 d3 10 07 05 10 00', '00: 86 80 d3 10 07 05 10 0', '00: 8']) {
      // A row of a dump stands at the margin, behind capabilities, too.
      for (const capability of ['', '\tCapabilities: [50] MSI: Enable- Count=1/1 Maskable- 64bit+\n']) {
        const { info: cut } = sample(`00:03.0 Ethernet controller: A B\n${capability}${row}`);
        assert.deepEqual([cut.skipped, cut.undone], [{ 'cut off at the end of the file': 1 }, []], row);
      }
    }
  });

  it('numbers that no function has are not taken', () => {
    const { trace, info } = sample(
      [
        '00:03.0 Ethernet controller: A B',
        '\tRegion 9: Memory at ffffffffffffffff (64-bit, prefetchable) [size=9999999999T]',
        '\tCapabilities: [ff] MSI: Enable+ Count=99/0 Maskable+ 64bit-',
        '\tCapabilities: [40] MSI-X: Enable+ Count=9999 Masked-',
        '\t\tVector table: BAR=7 offset=ffffffff',
        'fff: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff',
        '',
      ].join('\n'),
    );
    assert.deepEqual(info.skipped, { 'a line that is broken off': 2 });
    const { bar, msi, msixcap } = devices(trace)[NVME];
    assert.deepEqual([bar, msi, msixcap], [undefined, undefined, undefined]);
  });

  it('-t: says that it tells nothing', () => {
    assert.throws(
      () => importText('-[0000:00]-+-00.0\n           +-02.0\n           \\-06.0\n'),
      /the tree that lspci -t prints/,
    );
  });

  it('beside a trace: both are read', () => {
    const trace = importText(
      '00:03.0 Ethernet controller: A B\n\tKernel driver in use: e1000e\n\n          <idle>-0       [002] d.h1.    10.934596: irq_handler_entry: irq=41 name=eth0\n',
    );
    assert.deepEqual(
      trace.sources.map(({ format, accounting }) => [format, accounting.records]),
      [
        ['lspci', 2],
        ['ftrace-text', 1],
      ],
    );
  });

  it('a real host: MSI with an address that is remapped', () => {
    // grep "Address:" of the fixture: 00000000fee004d8, Data 0000.
    const dev = devices(fixtureTrace('x86-vtd/snap-lspci-edu.txt'));
    const [only] = Object.values(dev) as Json[];
    assert.deepEqual([only.msi.enable, only.msi.address.value, only.msi.data.value], [true, '0xfee004d8', '0x0']);
    assert.equal(only.driver, 'vfio-pci');
  });
});
