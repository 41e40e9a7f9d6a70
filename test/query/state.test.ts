import assert from 'node:assert/strict';
import { resolvePath } from '../../src/query/paths.ts';
import { pathValue, stateTree } from '../../src/query/state.ts';
import { viewObject } from '../../src/query/view.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureTrace, importText } from '../helpers/fixtures.ts';

const QEMU = importText(
  [
    'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
    'pci_cfg_read nvme 00:03.0 @0x40 -> 0x50011',
    'pci_cfg_read nvme 00:03.0 @0x44 -> 0x2000',
    'pci_cfg_read nvme 00:03.0 @0x48 -> 0x3000',
    'pci_update_mappings_add nvme 00:03.0 0,0xfe000000+0x4000',
    'pci_cfg_write nvme 00:03.0 @0x4 <- 0x406',
    'pci_cfg_write nvme 00:03.0 @0x42 <- 0xc005',
    "memory_region_ops_write cpu 0 mr 0x1 addr 0xfe002010 value 0xfee00298 size 8 name 'msix-table'",
    "memory_region_ops_write cpu 0 mr 0x1 addr 0xfe00201c value 0x1 size 1 name 'msix-table'",
    'pci_cfg_read edu 00:07.0 @0x34 -> 0x40',
    'pci_cfg_read edu 00:07.0 @0x40 -> 0x800005',
    'vtd_ir_irte_get index 20 low 0x40018 high 0x210009',
    'vtd_ir_remap index 20 trigger 0 vector 33 deliver 0 dest 0x0 mode 0',
    'vfio_msix_enable  (0000:00:09.0)',
    'vfio_msix_vector_do_use  (0000:00:09.0) vector 0 used',
    'kvm_irqchip_add_msi_route dev vfio-pci vector 0 virq 24',
    'gicv3_its_cmd_mapd GICv3 ITS: command MAPD DeviceID 0x20 Size 0x1 ITT_addr 0x47349a V 1',
    'gicv3_its_cmd_mapti GICv3 ITS: command MAPTI DeviceID 0x20 EventID 0x10 ICID 0x1 pINTID 0x2002',
    'gicv3_its_cmd_mapc GICv3 ITS: command MAPC ICID 0x1 RDbase 0x1 V 1',
    "memory_region_ops_write cpu 0 mr 0x2 addr 0xfd000000 value 0xfee00298 size 4 name 'msix-table'",
  ].join('\n'),
);
const FTRACE = fixtureTrace('x86-vtd/ftrace.txt');

const get = (trace: Trace, path: string): unknown => pathValue(trace.head, path);

describe('the state tree', () => {
  it('has for each kind of object the keys that scripts rely on', () => {
    const keys: Record<string, [Trace, string[]]> = {
      'device/0000:00:03.0': [QEMU, ['name', 'command']],
      'device/0000:00:03.0/msixcap': [
        QEMU,
        ['enable', 'fmask', 'size', 'tableBar', 'tableOffset', 'pbaBar', 'pbaOffset'],
      ],
      'device/0000:00:03.0/msix/1': [QEMU, ['address', 'data', 'control', 'pending', 'effectivelyMasked', 'writes']],
      'device/0000:00:07.0/msi': [QEMU, ['enable', 'address', 'data', 'mask', 'pending']],
      'table/0xfd000000/msix/0': [QEMU, ['address', 'data', 'control', 'writes']],
      'irq/41': [
        FTRACE,
        [
          'name',
          'device',
          'hwirq',
          'domain',
          'cpu',
          'vector',
          'prevCpu',
          'prevVector',
          'moving',
          'managed',
          'activated',
          'handled',
          'lpi',
        ],
      ],
      'cpu/0': [FTRACE, ['online']],
      'cpu/0/vector/236': [FTRACE, ['irq', 'allocated']],
      'irte/0/20': [QEMU, ['present', 'posted', 'vector', 'dest', 'sid', 'value']],
      'its/0/device/0x20': [QEMU, ['valid', 'size', 'itt']],
      'its/0/device/0x20/event/16': [QEMU, ['valid', 'lpi', 'collection']],
      'its/0/collection/1': [QEMU, ['valid', 'target']],
      'vfio/0000:00:09.0/2/0': [QEMU, ['used', 'virq', 'eventfd', 'masked']],
      'kvm/0/route/24': [QEMU, ['device', 'vector', 'address', 'data', 'current']],
    };
    for (const [path, [trace, wanted]] of Object.entries(keys)) {
      const object = get(trace, path) as Record<string, unknown>;
      for (const key of wanted) assert.notEqual(object[key], undefined, `${path}/${key}`);
    }
    const command = get(QEMU, 'device/0000:00:03.0/command') as Record<string, unknown>;
    assert.deepEqual([command['memory'], command['busMaster'], command['intxDisable']], [true, true, true]);
  });

  it('registers are a value and fields; a value is null while any of its bits is unknown', () => {
    const entry = get(QEMU, 'device/0000:00:03.0/msix/1') as Record<
      string,
      { value: string | null; fields: Record<string, unknown> }
    >;
    assert.equal(entry['address']!.value, '0xfee00298');
    assert.equal(entry['data']!.value, null);
    assert.deepEqual([entry['control']!.value, entry['control']!.fields['mask']], [null, true]);
  });

  it('what was never observed is null, what does not exist is left out', () => {
    const vector = get(QEMU, 'vfio/0000:00:09.0/2/0') as Record<string, unknown>;
    assert.deepEqual([vector['used'], vector['virq'], vector['eventfd'], vector['masked']], [true, 24, null, null]);
    assert.equal(pathValue(QEMU.stateAt(-1), 'device/0000:00:03.0/msix/1'), null);
    assert.deepEqual(stateTree(QEMU.stateAt(-1)), {});
    assert.equal(get(QEMU, 'device/0000:00:1f.0'), undefined);
  });

  it('is made of plain values: JSON gives the same back', () => {
    for (const trace of [QEMU, FTRACE]) {
      const tree = stateTree(trace.head);
      assert.deepEqual(JSON.parse(JSON.stringify(tree)), tree);
    }
  });

  it('is keyed by the segments of the paths: every object is found again under its path', () => {
    for (const trace of [QEMU, FTRACE, fixtureTrace('x86-nested/l2-qemu.log')]) {
      const tree = stateTree(trace.head);
      let found = 0;
      for (let object = 0; object < trace.world.objects; object++) {
        if (!trace.head.present(object)) continue;
        let node: unknown = tree;
        for (const segment of trace.world.path(object).split('/')) node = (node as Record<string, unknown>)[segment];
        for (const [key, value] of Object.entries(viewObject(trace.head, object)))
          assert.deepEqual((node as Record<string, unknown>)[key], value, `${trace.world.path(object)}/${key}`);
        found++;
      }
      assert.ok(found > 8);
    }
  });

  it('children come in the order that people expect', () => {
    assert.deepEqual(Object.keys(get(FTRACE, 'cpu') as object), ['0', '1', '2', '3']);
    const irqs = Object.keys(get(FTRACE, 'irq') as object).map(Number);
    assert.deepEqual(
      irqs,
      [...irqs].sort((a, b) => a - b),
    );
  });
});

describe('paths', () => {
  it('lead to objects, keys and fields', () => {
    assert.equal(get(QEMU, 'device/0000:00:03.0/msix/1/control.mask'), true);
    assert.equal(get(QEMU, 'device/0000:00:03.0/msixcap/size'), 6);
    assert.equal(get(QEMU, 'irte/0/20/vector'), 33);
    assert.equal(get(QEMU, 'irte/0/20/value.vector'), 33);
  });

  it('are taken as people write them', () => {
    for (const path of ['device/00:03.0/msix/1', 'device/0000:00:03.0/msix/0x1', '/device/0000:00:03.0/msix/1/'])
      assert.deepEqual(get(QEMU, path), get(QEMU, 'device/0000:00:03.0/msix/1'), path);
    for (const path of ['its/0/device/32/event/16', 'its/0/device/20/event/0x10'])
      assert.equal((get(QEMU, path) as { lpi: number }).lpi, 0x2002, path);
    assert.deepEqual(get(QEMU, 'vfio/0000:00:09.0/msix/0'), get(QEMU, 'vfio/0000:00:09.0/2/0'));
    assert.deepEqual(get(QEMU, 'table/0xFD000000/msix/0'), get(QEMU, 'table/0xfd000000/msix/0'));
  });

  it('a key of an object comes before another word for a child', () => {
    assert.equal(get(QEMU, 'vfio/0000:00:09.0/msix'), true, 'MSI-X is on');
    assert.equal(resolvePath(QEMU.world, 'vfio/0000:00:09.0/msix')!.key, 'msix');
  });

  it('that name nothing are undefined', () => {
    for (const path of [
      'nothing',
      'device/0000:00:03.0/nothing',
      'device/0000:00:03.0/msix/1/control.nothing',
      'device/0000:00:03.0/msix/1/control.mask.x',
      'device/0000:00:03.0/msix/1/control/mask',
      'device/0000:00:03.0/msix/77',
      'device/constructor',
      'device/__proto__',
      'irte/0/20/toString',
    ])
      assert.equal(get(QEMU, path), undefined, path);
  });
});
