// /proc/irq, /sys/kernel/irq, msi_irqs, /proc/softirqs: values held against the bytes of captures, and files that only their path tells.
import assert from 'node:assert/strict';
import { ImportRun } from '../../../src/import/run.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureTrace, grep, importText } from '../../helpers/fixtures.ts';
import { sample } from '../samples.ts';

const at = (trace: Trace, path: string): unknown => pathValue(trace.head, path) ?? null;

/** A file of a folder or an archive: its path says what it is. */
function fileAt(path: string, text: string): Trace {
  const run = new ImportRun('kit.tar', undefined, path);
  run.push(new TextEncoder().encode(text));
  return run.end();
}

/** A mask of up to 32 CPUs as a list, without the code under test. */
const listOf = (mask: string): string => {
  const cpus = [...Array(32).keys()].filter((n) => (Number.parseInt(mask, 16) >>> n) & 1);
  return cpus.length === 0 ? '' : cpus.length === 1 ? `${cpus[0]}` : `${cpus[0]}-${cpus.at(-1)}`;
};

describe('/proc/irq', () => {
  it('a folder whose list is no list costs no more than others (its pattern once took a time that doubles with each byte)', () => {
    const start = performance.now();
    importText(`/proc/irq/1/smp_affinity: 1\n/proc/irq/41/: ${'a'.repeat(40_000)}!\n/proc/irq/41/node: 0\n`);
    assert.ok(performance.now() - start < 5000);
  });

  for (const name of ['x86-x2apic/snap-proc-irq.txt', 'arm64-irqdebugfs/snap-proc-irq.txt'])
    it(`${name}: every line`, () => {
      const trace = fixtureTrace(name);
      let lines = 0;
      for (const { text } of grep(name, /^\/proc\/irq\/\d+\/\w/)) {
        const [, irq, file, value] = /^\/proc\/irq\/(\d+)\/(\w+): ?(.*?) ?$/.exec(text) ?? [];
        if (file === undefined) continue;
        lines++;
        const irqAt = (key: string): unknown => at(trace, `irq/${irq}/${key}`);
        if (file === 'smp_affinity') assert.equal(irqAt('affinity'), listOf(value!), text);
        else if (file === 'smp_affinity_list') assert.equal(irqAt('affinity'), value, text);
        else if (file === 'effective_affinity') assert.equal(irqAt('effectiveAffinity'), listOf(value!), text);
        else if (file === 'effective_affinity_list') {
          assert.equal(irqAt('effectiveAffinity'), value, text);
          // A single CPU is the one that it is delivered to.
          assert.equal(irqAt('cpu'), /^\d+$/.test(value!) ? Number(value) : null, text);
        } else if (file === 'affinity_hint') assert.equal(irqAt('descriptor/affinityHint'), listOf(value!), text);
        else if (file === 'node') assert.equal(irqAt('descriptor/node'), Number(value), text);
        else {
          const [, count, unhandled, last] = /^count (\d+) unhandled (\d+) last_unhandled (\d+) ms$/.exec(value!)!;
          assert.deepEqual(
            ['spuriousCount', 'spuriousUnhandled', 'lastUnhandled'].map((key) => irqAt(`descriptor/${key}`)),
            [count, unhandled, last].map(Number),
            text,
          );
        }
      }
      assert.ok(lines > 150, `${lines} lines`);
    });

  it('folders of actions name them', () => {
    const trace = fixtureTrace('x86-x2apic/snap-proc-irq.txt');
    for (const { text } of grep('x86-x2apic/snap-proc-irq.txt', /\/$/)) {
      const [, irq, action] = /^\/proc\/irq\/(\d+)\/([^/]+)\/$/.exec(text)!;
      assert.ok((at(trace, `irq/${irq}/actions`) as string[]).includes(action!), text);
    }
    // `ls`: a name of one word beside those of the files.
    assert.deepEqual(at(fixtureTrace('arm64-irqdebugfs/snap-proc-irq.txt'), 'irq/22/actions'), ['nvme0q0']);
  });

  it('nothing tells how often an irq was handled: unknown, not 0', () => {
    assert.equal(at(fixtureTrace('x86-x2apic/snap-proc-irq.txt'), 'irq/28/handled'), null);
  });

  it('masks of more than 32 CPUs', () => {
    const trace = importText(
      '/proc/irq/9/smp_affinity:1,80000000,00000003\n/proc/irq/9/affinity_hint:00000000,00000000\n',
    );
    assert.equal(at(trace, 'irq/9/affinity'), '0-1,63-64');
    assert.equal(at(trace, 'irq/9/descriptor/affinityHint'), '');
  });

  it('a mask of more CPUs than any kernel has says nothing, also not that there is none', () => {
    const trace = importText(`/proc/irq/9/smp_affinity:${'ffffffff,'.repeat(256)}ffffffff\n/proc/irq/9/node:0\n`);
    assert.deepEqual([at(trace, 'irq/9/affinity'), at(trace, 'irq/9/descriptor/node')], [null, 0]);
  });

  it('long lines that are almost a folder, or almost an attribute, take no time', function () {
    this.timeout(5000);
    // `ls` of an irq that two drivers share: the comma is no character of these names.
    const files = 'affinity_hint effective_affinity node smp_affinity smp_affinity_list spurious';
    const trace = importText(
      [
        '/proc/irq/9/node:0',
        `/proc/irq/24/: ${files} i2c_designware.0,idma64.0`,
        `/proc/irq/24/: ${'a'.repeat(5000)}*`,
        '/sys/bus/pci/devices/0000:00:03.0/msi_irqs/26:msix',
        ...Array(20).fill(`${'/devices/'.repeat(10_000)} `),
      ].join('\n'),
    );
    assert.deepEqual([at(trace, 'irq/9/descriptor/node'), at(trace, 'irq/24/actions')], [0, null]);
    assert.equal(at(trace, 'irq/26/device'), '0000:00:03.0');
  });

  it('files that only their path tells', () => {
    const affinity = fileAt('snapshot-1/proc/irq/41/smp_affinity', 'f\n');
    assert.deepEqual([at(affinity, 'irq/41/affinity'), traceInfo(affinity).format], ['0-3', 'proc-irq']);
    const spurious = fileAt('proc/irq/41/spurious', 'count 77\nunhandled 3\nlast_unhandled 4294 ms\n');
    const keys = ['spuriousCount', 'spuriousUnhandled', 'lastUnhandled'];
    assert.deepEqual(
      keys.map((key) => at(spurious, `irq/41/descriptor/${key}`)),
      [77, 3, 4294],
    );
    // What a shell says of a folder that is not there.
    assert.throws(
      () => importText('ls: /proc/irq/18/: No such file or directory\n'),
      /no line of it is a trace record/,
    );
    // Without the path, no line of them is a record.
    assert.throws(() => importText('f\n'), /no line of it is a trace record/);
  });
});

describe('/sys/kernel/irq', () => {
  for (const name of ['x86-x2apic/snap-sys-kernel-irq.txt', 'arm64-irqdebugfs/snap-sys-kernel-irq.txt'])
    it(`${name}: every line`, () => {
      const trace = fixtureTrace(name);
      for (const { text } of grep(name, /./)) {
        const [, irq, file, value] = /^\/sys\/kernel\/irq\/(\d+)\/(\w+): ?(.*)$/.exec(text)!;
        const irqAt = (key: string): unknown => at(trace, `irq/${irq}/${key}`);
        if (file === 'per_cpu_count') {
          const counts = value!.split(',').map(Number);
          assert.deepEqual(irqAt('perCpu'), Object.fromEntries(counts.entries()), text);
          assert.equal(
            irqAt('handled'),
            counts.reduce((a, b) => a + b),
            text,
          );
        } else if (file === 'chip_name') assert.equal(irqAt('chip'), value, text);
        else if (file === 'hwirq') assert.equal(irqAt('hwirq'), value === '' ? null : Number(value), text);
        else if (file === 'type') assert.equal(irqAt('level'), value === 'level', text);
        else if (file === 'wakeup') assert.equal(irqAt('descriptor/wakeup'), value === 'enabled', text);
        else if (file === 'name') assert.equal(irqAt('flow'), value === '' ? null : value, text);
        else assert.deepEqual(irqAt('actions'), value === '' ? [] : value!.split(','), text);
      }
    });

  it('the chip of a function names it', () => {
    assert.equal(at(fixtureTrace('x86-x2apic/snap-sys-kernel-irq.txt'), 'irq/28/device'), '0000:00:02.0');
  });

  it('a hwirq that holds the function needs its chip', () => {
    const line = (file: string, value: string): string => `/sys/kernel/irq/5/${file}:${value}\n`;
    const told = importText(line('chip_name', 'PCI-MSI') + line('hwirq', '180225'));
    assert.deepEqual([at(told, 'irq/5/device'), at(told, 'irq/5/hwirq')], ['0000:00:0b.0', 1]);
    const alone = sample(line('hwirq', '180225') + line('type', 'edge'));
    assert.equal(at(alone.trace, 'irq/5/hwirq'), null);
    assert.deepEqual(alone.info.withoutEffect, { 'a hwirq of a chip that is not told': 1 });
  });

  it('files that only their path tells', () => {
    assert.deepEqual(at(fileAt('sys/kernel/irq/9/actions', 'acpi,i2c\n'), 'irq/9/actions'), ['acpi', 'i2c']);
    assert.deepEqual(at(fileAt('sys/kernel/irq/9/per_cpu_count', '1,2,3\n'), 'irq/9/perCpu'), { 0: 1, 1: 2, 2: 3 });
  });

  it('files behind one another, with their paths above', () => {
    const { trace, info } = sample(
      '==> /sys/kernel/irq/9/chip_name <==\nIR-IO-APIC\n\n==> /sys/kernel/irq/9/hwirq <==\n9\n\n==> /proc/stat <==\n9\n\n==> /proc/irq/9/smp_affinity_list <==\n0,3\n',
    );
    assert.deepEqual(
      ['chip', 'hwirq', 'affinity'].map((key) => at(trace, `irq/9/${key}`)),
      ['IR-IO-APIC', 9, '0,3'],
    );
    assert.equal(info.records, 3);
    assert.deepEqual(info.sources?.map(({ format }) => format).sort(), ['irq-sysfs', 'proc-irq']);
  });

  it('what a shell printed behind prompts', () => {
    const { trace } = sample(
      'root@host:~# cat /proc/irq/41/effective_affinity_list\n2\n3 of them\n3\nroot@host:~# uname -r\n6.12\n',
    );
    assert.deepEqual([at(trace, 'irq/41/effectiveAffinity'), at(trace, 'irq/41/cpu')], ['2', 2]);
  });
});

describe('msi_irqs', () => {
  it('x86-x2apic/snap-msi-irqs.txt: every line', () => {
    const trace = fixtureTrace('x86-x2apic/snap-msi-irqs.txt');
    for (const { text } of grep('x86-x2apic/snap-msi-irqs.txt', /msi_irqs|driver/)) {
      const [, bdf, irq, mode] = /devices\/([^/]+)\/msi_irqs\/(\d+):(\w+)$/.exec(text) ?? [];
      if (bdf !== undefined) {
        assert.deepEqual([at(trace, `irq/${irq}/device`), at(trace, `irq/${irq}/descriptor/msi`)], [bdf, mode], text);
        continue;
      }
      const [, device, driver] = /devices\/([^/]+)\/driver:(.*)$/.exec(text)!;
      assert.equal(at(trace, `device/${device}/name`), driver, text);
    }
  });

  it('below a line that names the function', () => {
    const trace = fixtureTrace('arm64-irqdebugfs/snap-pci-sysfs.txt');
    assert.deepEqual([at(trace, 'irq/22/device'), at(trace, 'device/0000:00:02.0/name')], ['0000:00:02.0', 'nvme']);
  });

  it('a file that only its path tells', () => {
    const trace = fileAt('sys/bus/pci/devices/0000:00:02.0/msi_irqs/28', 'msix\n');
    assert.deepEqual([at(trace, 'irq/28/device'), at(trace, 'irq/28/descriptor/msi')], ['0000:00:02.0', 'msix']);
  });
});

describe('/proc/softirqs', () => {
  it('every line', () => {
    const trace = fixtureTrace('x86-x2apic/snap-softirqs.txt');
    const lines = grep('x86-x2apic/snap-softirqs.txt', /:/);
    assert.equal(lines.length, 10);
    for (const { text } of lines) {
      const [name, ...counts] = text.trim().split(/:? +/);
      assert.deepEqual(at(trace, `softirq/${name}/perCpu`), Object.fromEntries(counts.map(Number).entries()), text);
    }
  });

  it('beside /proc/interrupts in one file: two sources', () => {
    const { info, trace } = sample(
      '           CPU0       CPU1\nLOC:       1359       1261   Local timer interrupts\n                    CPU0       CPU1\n          HI:          1          2\n',
    );
    assert.deepEqual(
      info.sources?.map(({ format, records }) => [format, records]),
      [
        ['proc-interrupts', 1],
        ['proc-softirqs', 1],
      ],
    );
    assert.equal(at(trace, 'softirq/HI/handled'), 3);
  });
});
