// debugfs: dumps of irqs and domains, of VT-d tables, of a virtual GIC; values held against the bytes of captures and the formats of the kernel.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ImportRun } from '../../../src/import/run.ts';
import { interrupts } from '../../../src/query/interrupts/list.ts';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, grep, importText } from '../../helpers/fixtures.ts';
import { file } from '../case.ts';
import { sample, wholly } from '../samples.ts';

const at = (trace: Trace, path: string): unknown => pathValue(trace.head, path) ?? null;
const X86 = 'x86-x2apic/snap-debug-irq.txt';
const ARM = 'arm64-irqdebugfs/snap-debug-irq.txt';

/** The files in a dump of many: path and lines. */
function filesOf(name: string): { path: string; lines: string[] }[] {
  const text = Buffer.from(fixtureBytes(name)).toString('latin1');
  return text
    .split(/^==>? (?=\/)/m)
    .slice(1)
    .map((part) => {
      const [head, ...lines] = part.split('\n');
      return { path: head!.replace(/ <==$/, ''), lines };
    });
}

/** The first value behind a label in some lines. */
const value = (lines: readonly string[], label: string): string | undefined =>
  lines
    .find((line) => line.trimStart().startsWith(`${label}:`))
    ?.replace(/^.*?: */, '')
    .trim();

describe('/sys/kernel/debug/irq/irqs', () => {
  for (const name of [X86, ARM])
    it(`${name}: every irq`, () => {
      const trace = fixtureTrace(name);
      const irqs = filesOf(name).filter(({ path }) => path.includes('/irqs/'));
      assert.ok(irqs.length > 25);
      for (const { path, lines } of irqs) {
        const irq = `irq/${path.replace(/.*\//, '')}`;
        const irqAt = (key: string): unknown => at(trace, `${irq}/${key}`);
        const has = (flag: string): boolean => lines.some((line) => line.trim() === flag);
        const device = value(lines, 'device')!;
        if (/^[\da-f]{4}:/.test(device)) assert.equal(irqAt('device'), device, irq);
        else assert.equal(irqAt('device'), null, irq);
        assert.equal(irqAt('domain'), value(lines, 'domain') || null, irq);
        assert.equal(irqAt('chip'), value(lines, 'chip'), irq);
        assert.equal(irqAt('hwirq'), Number(value(lines, 'hwirq')), irq);
        assert.equal(irqAt('affinity'), value(lines, 'affinity'), irq);
        assert.equal(irqAt('effectiveAffinity'), value(lines, 'effectiv'), irq);
        assert.equal(irqAt('activated'), has('IRQD_ACTIVATED'), irq);
        assert.equal(irqAt('managed'), has('IRQD_AFFINITY_MANAGED'), irq);
        assert.equal(irqAt('shutdown'), has('IRQD_MANAGED_SHUTDOWN'), irq);
        assert.equal(irqAt('level'), has('IRQD_LEVEL'), irq);
        const ownOfCpus = has('_IRQ_PER_CPU_DEVID');
        assert.equal(irqAt('masked'), ownOfCpus ? null : has('IRQD_IRQ_MASKED'), irq);
        assert.equal(irqAt('disabled'), ownOfCpus ? null : Number(value(lines, 'ddepth')) > 0, irq);
        assert.equal(irqAt('descriptor/dstate'), `0x${Number(value(lines, 'dstate')).toString(16)}`, irq);
        assert.equal(irqAt('descriptor/flowHandler'), value(lines, 'handler'), irq);
        const flags = lines.map((line) => line.trim()).filter((line) => /^(?:_IRQ|IRQS_|IRQD_)/.test(line));
        const shown = (irqAt('descriptor/flags') as string[]).filter((flag) => !flag.startsWith('IRQ_TYPE_'));
        assert.deepEqual(shown, flags, irq);
      }
    });

  it('x86: vectors and CPUs of every irq, and which irq each vector has', () => {
    const trace = fixtureTrace(X86);
    let assigned = 0;
    for (const { path, lines } of filesOf(X86).filter((f) => f.path.includes('/irqs/'))) {
      const number = Number(path.replace(/.*\//, ''));
      const [v, target] = [value(lines, 'Vector'), value(lines, 'Target')];
      if (v === undefined) continue;
      assert.deepEqual(
        [at(trace, `irq/${number}/vector`), at(trace, `irq/${number}/cpu`)],
        [Number(v), Number(target)],
      );
      assert.equal(at(trace, `irq/${number}/moving`), value(lines, 'move_in_progress') === '1');
      assert.equal(at(trace, `irq/${number}/reserved`), value(lines, 'has_reserved') === '1');
      if (Number(v) === 0) continue;
      assigned++;
      assert.equal(at(trace, `cpu/${target}/vector/${v}/irq`), number);
      assert.equal(at(trace, `cpu/${target}/vector/${v}/allocated`), true);
    }
    assert.equal(assigned, 20);
  });

  it('x86: the level of the remapping domain tells the IRTE', () => {
    const trace = fixtureTrace(X86);
    for (const { path, lines } of filesOf(X86).filter((f) => f.path.includes('/irqs/'))) {
      const remap = lines.findIndex((line) => /domain: +INTEL-IR/.test(line));
      if (remap < 0) continue;
      const hwirq = Number(value(lines.slice(remap), 'hwirq'));
      assert.equal(at(trace, `irq/${path.replace(/.*\//, '')}/irteIndex`), hwirq >>> 16, path);
    }
  });

  it('arm64: the level of the ITS tells the LPI', () => {
    const trace = fixtureTrace(ARM);
    assert.equal(at(trace, 'irq/19/lpi'), 0x2001);
    assert.equal(at(trace, 'domain/ITS-PCI-MSIX-0000:00:03.0-12/parent'), ':intc@8000000:its@8080000-5');
    assert.equal(at(trace, 'domain/:intc@8000000:its@8080000-5/parent'), ':intc@8000000-1');
  });

  it('the number of one irq: the level of the vector domain, or a path, or none', () => {
    const files = filesOf(X86);
    const nvme = files.find(({ path }) => path.endsWith('/irqs/28'))!;
    assert.equal(at(importText(nvme.lines.join('\n')), 'irq/28/vector'), Number(value(nvme.lines, 'Vector')));
    const [gic] = filesOf(ARM).filter(({ path }) => path.endsWith('/irqs/19'));
    const text = gic!.lines.join('\n');
    const alone = wholly(text);
    assert.equal(alone.trace.length, 0);
    assert.deepEqual(alone.info.withoutEffect, { 'an irq whose number is not told': alone.info.records });
    const run = new ImportRun('kit', undefined, 'snapshot-1/sys/kernel/debug/irq/irqs/19');
    run.push(new TextEncoder().encode(text));
    assert.equal(at(run.end(), 'irq/19/lpi'), 0x2001);
    // The name of a file that was opened does not decide what it is, but which irq a dump is of.
    assert.equal(at(importText(text, '/sys/kernel/debug/irq/irqs/19'), 'irq/19/lpi'), 0x2001);
  });

  it('what grep prints of many files', () => {
    const [one, other] = filesOf(X86).filter(({ path }) => /irqs\/2[89]$/.test(path));
    const lines = [one!, other!].flatMap(({ path, lines: all }) =>
      all.filter((l) => l !== '').map((l) => `${path}:${l}`),
    );
    const { trace, info } = wholly(`${lines.join('\n')}\n`);
    assert.equal(info.records, lines.length);
    assert.equal(at(trace, 'irq/28/vector'), Number(value(one!.lines, 'Vector')));
    assert.equal(at(trace, 'irq/29/vector'), Number(value(other!.lines, 'Vector')));
  });

  it('messages of old domains of all devices, quoted in a mail', () => {
    const path = resolve(import.meta.dirname, '../../fixtures/cases/debugfs-irq-arm64.txt');
    const text = readFileSync(path, 'utf8');
    const quoted = text.replace(/^/gm, '> ').replace('> handler', '> == /sys/kernel/debug/irq/irqs/93\n> handler');
    const { trace, info } = sample(`Here is the state:\n${quoted.trimEnd()}\n\nRegards\n`);
    assert.deepEqual(info.undone, ['quoted']);
    const keys = ['device', 'hwirq', 'address', 'data', 'lpi', 'managed'];
    assert.deepEqual(
      keys.map((key) => at(trace, `irq/93/${key}`)),
      ['0000:91:00.0', 1, '0xe060040', '0x1', 0x2002, true],
    );
    assert.equal(file('debugfs-irq-arm64.txt').info.format, 'irq-debugfs');
  });

  it('a move that is not finished, and vectors that are not assigned', () => {
    const irq = (n: number, vector: string): string =>
      `handler:  handle_edge_irq\ndevice:   (null)\nstatus:   0x00000000\nistate:   0x00000000\nddepth:   0\nwdepth:   0\ndstate:   0x00000000\nnode:     0\naffinity: 0-3\neffectiv: 2\ndomain:  VECTOR\n hwirq:   0x${n.toString(16)}\n chip:    APIC\n  flags:   0x0\n${vector}`;
    const moving = importText(
      irq(
        41,
        ' Vector:    39\n Target:     2\n Previous vector:    38\n Previous target:     1\n move_in_progress: 1\n',
      ),
    );
    const keys = ['vector', 'cpu', 'prevVector', 'prevCpu', 'moving'];
    assert.deepEqual(
      keys.map((key) => at(moving, `irq/41/${key}`)),
      [39, 2, 38, 1, true],
    );
    assert.equal(at(moving, 'cpu/1/vector/38/irq'), 41);
    const none = importText(irq(42, ' Vector: Not assigned\n'));
    assert.deepEqual([at(none, 'irq/42/vector'), at(none, 'irq/42/cpu')], [0, null]);
    assert.deepEqual([at(none, 'irq/42/activated'), at(none, 'irq/42/masked')], [false, false]);
    const pic = importText(irq(2, ' Vector:    50\n Target: Legacy PIC all CPUs\n'));
    assert.equal(at(pic, 'irq/2/vector'), 50);
  });

  it('a dump without names of flags says nothing of them', () => {
    const trace = importText(
      'handler:  handle_edge_irq\ndstate:   0x19601200\ndomain:  VECTOR\n hwirq:   0x57\n chip:    APIC\n',
    );
    assert.deepEqual(
      ['activated', 'managed', 'masked'].map((key) => at(trace, `irq/87/${key}`)),
      [null, null, null],
    );
  });

  it('takes no line of prose', () => {
    const { info } = sample(
      'handler:  handle_edge_irq\ndomain:  VECTOR\n hwirq:   0x57\nIt is a puzzle.\nstatus:   open\ndevice:   mine\n',
    );
    assert.deepEqual([info.records, info.others['text']], [3, 3]);
    assert.throws(() => importText('name:   x\nstatus:   open\nhandler: me\n'), /no line of it is a trace record/);
  });
});

describe('/sys/kernel/debug/irq/domains', () => {
  it('x86: parents, numbers and flags of every domain', () => {
    const trace = fixtureTrace(X86);
    const domains = filesOf(X86).filter(({ path }) => path.includes('/domains/') && !path.endsWith('/default'));
    assert.ok(domains.length > 8);
    for (const { path, lines } of domains) {
      const name = path.replace(/.*\/domains\//, '');
      const domainAt = (key: string): unknown => at(trace, `domain/${name}/${key}`);
      assert.equal(domainAt('parent'), value(lines, 'parent') ?? null, name);
      assert.equal(domainAt('size'), Number(value(lines, 'size')), name);
      assert.equal(domainAt('mapped'), Number(value(lines, 'mapped')), name);
      assert.equal(domainAt('flags'), `0x${Number(value(lines, 'flags')).toString(16)}`, name);
    }
  });

  it('x86: the vector matrix', () => {
    const trace = fixtureTrace(X86);
    const [rows] = [grep(X86, /^ +[01] +\d+ +\d+ +\d+ +\d+ +[\d,-]+$/)];
    for (const { text } of rows) {
      const [cpu, available, managed, mac, allocated, vectors] = text.trim().split(/ +/);
      const cpuAt = (key: string): unknown => at(trace, `cpu/${cpu}/${key}`);
      assert.deepEqual(
        ['available', 'managed', 'managedAllocated', 'allocated'].map(cpuAt),
        [available, managed, mac, allocated].map(Number),
      );
      const listed = vectors!.split(',').flatMap((part) => {
        const [first, last = first] = part.split('-').map(Number);
        return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
      });
      const known = Object.entries(cpuAt('vector') as Record<string, { allocated: boolean }>);
      assert.deepEqual(
        known.filter(([, v]) => v.allocated).map(([v]) => Number(v)),
        listed,
      );
    }
    const keys = ['onlineMaps', 'available', 'reserved', 'allocated', 'system'];
    assert.deepEqual(
      keys.map((key) => at(trace, `domain/VECTOR/${key}`)),
      [2, 381, 12, 20, '0-19,21,50,128,236,240-242,244,246-255'],
    );
  });

  it('rows of a matrix whose title is cut off say nothing where a column is missing', () => {
    const head = 'name:   VECTOR\n size:   0\n mapped: 30\n flags:  0x00000103\n';
    const trace = importText(`${head}     0   184     1    18   35-36,40\n     1   200     0     0\n`);
    assert.deepEqual([at(trace, 'cpu/0/allocated'), at(trace, 'cpu/0/vector/35/allocated')], [null, null]);
    assert.equal(at(trace, 'cpu/1/allocated'), null);
    const [[why, lines]] = [...trace.first.accounting.withoutEffect] as [[string, number]];
    assert.deepEqual([lines, /^a row of a matrix/.test(why)], [2, true]);
  });

  it('a vector that is no number is no vector 0', () => {
    const dump = (vector: string): Trace =>
      importText(
        `==> /sys/kernel/debug/irq/irqs/26 <==\nhandler:  handle_edge_irq\n     Vector: ${vector}\n     Target:     1\n`,
      );
    const events = (trace: Trace): number =>
      Array.from({ length: trace.length }, (_, step) => trace.table.kind(step).name).filter((k) => k === 'snap.vector')
        .length;
    assert.deepEqual([events(dump('   34')), events(dump('   3\uFFFD'))], [1, 0]);
  });

  it('matrices of kernels before 5.0, without the column mac; a CPU that is full', () => {
    const { trace } = wholly(
      'name:   VECTOR\n size:   0\n mapped: 40\n flags:  0x00000041\nOnline bitmaps:        3\nGlobal available:    147\nGlobal reserved:       5\nTotal allocated:      55\nSystem: 36: 0-19,50,128,238-240,242-255\n | CPU | avl | man | act | vectors\n     0   147     0     0  \n     2     0     0   202  32-49,51-127,129-235\n',
    );
    assert.deepEqual([at(trace, 'cpu/2/allocated'), at(trace, 'cpu/2/managedAllocated')], [202, null]);
    assert.equal(at(trace, 'cpu/2/vector/235/allocated'), true);
    assert.deepEqual([at(trace, 'cpu/0/available'), at(trace, 'cpu/0/allocated')], [147, 0]);
  });

  it('one file alone', () => {
    const vector = filesOf(X86).find(({ path }) => path.endsWith('/domains/IO-APIC-0'))!;
    const trace = importText(vector.lines.join('\n'));
    assert.equal(trace.first.format, 'irq-debugfs');
    assert.equal(at(trace, 'domain/IO-APIC-0/parent'), 'INTEL-IR-0-13');
    assert.equal(at(trace, 'domain/VECTOR/allocated'), 20);
  });
});

describe('ir_translation_struct', () => {
  const NAME = 'x86-x2apic/ir_translation_struct.txt';

  it('every entry', () => {
    const trace = fixtureTrace(NAME);
    const rows = grep(NAME, /^ \d+ /);
    assert.equal(rows.length, 19);
    for (const { text } of rows) {
      const [index, bdf, dest, vector, high, low] = text.trim().split(/\s+/);
      const entry = (key: string): unknown => at(trace, `irte/dmar0/${index}/${key}`);
      const [bus, slot, fn] = bdf!.split(/[:.]/).map((part) => Number.parseInt(part, 16));
      assert.deepEqual(
        ['present', 'posted', 'vector', 'sid'].map(entry),
        [true, false, Number.parseInt(vector!, 16), (bus! << 8) | (slot! << 3) | fn!],
        text,
      );
      assert.equal(BigInt(entry('value') as string), BigInt(`0x${high}${low}`), text);
      // Without the register of the unit it is not known which part of the field is the APIC id.
      assert.equal(entry('dest'), null);
      assert.equal(Number.parseInt(dest!, 16) > 0, true);
    }
    assert.deepEqual([at(trace, 'irte/dmar0/table'), at(trace, 'irte/dmar0/enabled')], ['0x3300000', true]);
    assert.deepEqual(trace.first.undone, []);
  });

  it('the registers of the unit tell how destinations read', () => {
    const dump = Buffer.from(fixtureBytes(NAME)).toString();
    const trace = importText(
      `${dump}\n==> /sys/kernel/debug/iommu/./intel/iommu_regset <==\nIOMMU: dmar0 Register Base Address: fed90000\nName\t\t\tOffset\t\tContents\nIQA             \t0x90\t\t0x0000000003239000\nIRTA            \t0xb8\t\t0x000000000330080f\n`,
    );
    assert.deepEqual([at(trace, 'irte/dmar0/eim'), at(trace, 'irte/dmar0/entries')], [true, 65536]);
    assert.equal(at(trace, 'irte/dmar0/21/dest'), 2);
  });

  it('what a whole dump does not list is not present', () => {
    const dump = Buffer.from(fixtureBytes(NAME)).toString();
    const without = dump.replace(/^ 21 .*\n/m, '');
    const twice = importText(dump + without);
    assert.deepEqual([at(twice, 'irte/dmar0/21/present'), at(twice, 'irte/dmar0/22/present')], [false, true]);
    const part = importText(dump + without.replace('****', ''));
    assert.equal(at(part, 'irte/dmar0/21/present'), true);
    // Nothing between the dumps; the third is cut off behind a line of another kind, the first two were whole.
    const entries = (indexes: readonly number[]): string =>
      indexes.map((n) => ` ${n}     f0:1f.0 00000001 24  000000000000f0f8\t000000010024000d\n`).join('');
    const short = (indexes: readonly number[], end = '****\n'): string =>
      `Remapped Interrupt supported on IOMMU: dmar0\n IR table address:100280000\n${entries(indexes)}${end}`;
    const present = (trace: Trace): unknown[] => [0, 1].map((n) => at(trace, `irte/dmar0/${n}/present`));
    assert.deepEqual(present(importText(short([0, 1]) + short([1]))), [false, true]);
    assert.deepEqual(present(importText(`${short([0, 1])}a note\n${short([1], '')}`)), [true, true]);
  });

  it('posted entries, and several units', () => {
    const { trace } = sample(
      'Remapped Interrupt supported on IOMMU: dmar1\n IR table address:100300000\n Entry SrcID   DstID    Vct IRTE_high\t\tIRTE_low\n 0     00:02.0 00000002 26  0000000000040010\t000000020026000d\n\n****\n\nPosted Interrupt supported on IOMMU: dmar1\n IR table address:100300000\n Entry SrcID   PDA_high PDA_low  Vct IRTE_high\t\tIRTE_low\n 5     03:00.0 00000001 23456040 31  0000000100040300\t2345604000318001\n',
    );
    assert.deepEqual([at(trace, 'irte/dmar1/5/posted'), at(trace, 'irte/dmar1/5/vector')], [true, 0x31]);
    assert.equal(at(trace, 'irte/dmar1/0/vector'), 0x26);
  });

  it('beside a dump of irqs: each irq has its entry', () => {
    const dumps = [X86, NAME].map((name) => Buffer.from(fixtureBytes(name)).toString());
    const trace = importText(dumps.join('\n'));
    const row = interrupts(trace, trace.length - 1).find(({ row: r }) => r.irq === 'irq/28')!.row;
    assert.equal(row.irte, 'irte/dmar0/21');
  });
});

describe('vGIC', () => {
  // Lines as arch/arm64/kvm/vgic/vgic-debug.c prints them.
  const STATE =
    'Distributor\n===========\nvgic_model:\tGICv3\nnr_spis:\t64\nnr_lpis:\t1\nenabled:\t1\n\nP=pending_latch, L=line_level, A=active\nE=enabled, H=hw, C=config (level=1, edge=0)\nG=group\n\nVCPU 0 TYP   ID TGT_ID PLAEHCG     HWID   TARGET SRC PRI VCPU_ID\n----------------------------------------------------------------\n       SGI    0      0 0001001        0        0   0 160      -1 \n       PPI   27      0 0111111       27        0   0 160       0 \n\nSPI  0 TYP   ID TGT_ID PLAEHCG     HWID   TARGET SRC PRI VCPU_ID\n----------------------------------------------------------------\n       SPI   33      1 0101011        0        1   0 160      -1 \n       SPI   34     -1 0000001        0        0   0   0      -1 \n       LPI 8192      1 1001001        0        0   0 160       1 \n';
  const ITS =
    '\nDevice ID: 0x10, Event ID Range: [0 - 31]\nEVENT_ID    INTID  HWINTID   TARGET   COL_ID HW\n-----------------------------------------------\n       0     8192        0        1        1  0\n       3     8195        0        0        0  0\n';

  it('vgic-state', () => {
    const { trace, info } = wholly(STATE);
    assert.deepEqual([info.format, info.records], ['vgic-debugfs', 5]);
    const intid = (path: string): unknown[] =>
      ['requested', 'inService', 'enabled', 'priority', 'hwintid'].map((key) => at(trace, `vcpu/${path}/${key}`));
    assert.deepEqual(intid('0/intid/0'), [false, false, true, 160, null]);
    // Mapped to hardware: the hardware knows whether it pends.
    assert.deepEqual(intid('0/intid/27'), [null, true, true, 160, 27]);
    // Level-triggered, the line is high.
    assert.deepEqual(intid('1/intid/33'), [true, false, true, 160, null]);
    assert.deepEqual(intid('1/intid/8192'), [true, false, true, 160, null]);
    assert.deepEqual(info.withoutEffect, { 'an INTID of no virtual CPU': 1 });
    assert.equal(trace.first.vantage, 'hypervisor');
  });

  it('vgic-its-state', () => {
    for (const text of [ITS, ITS.replace('0x10', '16')]) {
      const { trace, info } = wholly(text);
      assert.deepEqual([info.format, info.records], ['vgic-debugfs', 3]);
      const device = 'its/0/device/0x10';
      assert.deepEqual([at(trace, `${device}/valid`), at(trace, `${device}/size`)], [true, 4]);
      const event = (key: string): unknown => at(trace, `${device}/event/3/${key}`);
      assert.deepEqual(['valid', 'lpi', 'collection'].map(event), [true, 8195, 0]);
      assert.equal(at(trace, 'its/0/collection/1/target'), 1);
    }
  });

  it('rows of numbers alone are none', () => {
    assert.throws(() => importText('1 2 3 4 5 6\n'), /no line of it is a trace record/);
  });
});
