// Situations that look like a fault and are none: no rule may report anything there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkTrace } from '../../src/check/check-run.ts';
import { rules } from '../../src/check/rules.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureLines, importText } from '../helpers/fixtures.ts';
import { foundByAll, made } from './made.ts';

/** How many events of a kind a trace holds. */
function count(trace: Trace, name: string): number {
  let events = 0;
  for (let step = 0; step < trace.length; step++) if (vocabulary[trace.table.kindNumber(step)]!.name === name) events++;
  return events;
}

/** Lines of an ftrace fixture under its header. */
const slice = (fixture: string, from: number, to: number): Trace =>
  importText(
    fixtureLines(fixture)
      .filter(({ line }) => line <= 11 || (line >= from && line <= to))
      .map(({ text }) => text)
      .join('\n'),
  );

/** The trace holds the events that make the situation, and no rule reports anything. */
function quiet(trace: Trace, events: Readonly<Record<string, number>>): void {
  assert.deepEqual(Object.fromEntries(Object.keys(events).map((name) => [name, count(trace, name)])), events);
  assert.deepEqual(foundByAll(trace), []);
}

const HEADER = '# tracer: nop\n#\n';
const ftrace = (text: string): Trace =>
  importText(
    HEADER +
      text
        .trim()
        .split('\n')
        .map((line) => ` ${line.trim()}\n`)
        .join(''),
  );

/** An interrupt of an assigned device as a host records it: handler, eventfd, message, local APIC, and the guest's part. */
const delivery = (second: string, accept = 'Fixed|edge'): string => `
  <idle>-0 [002] d.h1. ${second}.708666: irq_handler_entry: irq=28 name=vfio-msix[0](0000:00:03.0)
  <idle>-0 [002] d.h1. ${second}.708684: vfio_msihandler: (vfio_msihandler+0x4/0x20 [vfio_pci_core]) irq=28
  <idle>-0 [002] d.h2. ${second}.708697: irqfd_wakeup: (irqfd_wakeup+0x4/0x200 [kvm])
  <idle>-0 [002] d.h2. ${second}.708779: kvm_msi_set_irq: dst 0 vec 34 (Fixed|physical|edge)
  <idle>-0 [002] d.h2. ${second}.708854: kvm_apic_accept_irq: apicid 0 vec 34 (${accept})
  <idle>-0 [002] d.h1. ${second}.708884: irq_handler_exit: irq=28 ret=handled`;

const guest = (second: string): string => `
  qemu-736 [000] ..... ${second}.708953: kvm_inj_virq: IRQ 0x22
  qemu-736 [000] d..1. ${second}.708962: kvm_entry: vcpu 0, rip 0xffffffffc036e473
  qemu-736 [000] ..... ${second}.709833: kvm_eoi: apicid 0 vector 34`;

describe('no false alarm', () => {
  it('FA1 the host count of a posted irq stands still', () => {
    const others = [50, 51, 52, 58, 59, 70].map(
      (s) => `
      <idle>-0 [001] d.h1. ${s}.100000: irq_handler_entry: irq=41 name=nvme0q1
      <idle>-0 [001] d.h1. ${s}.100009: irq_handler_exit: irq=41 ret=handled`,
    );
    const trace = ftrace(`${delivery('49')}${guest('49')}
      qemu-736 [000] d..1. 49.800000: kvm_pi_irte_update: PI is enabled for irq 28, vcpu 0, gsi: 0x18, gvec: 0x22, pi_desc_addr: 0x10a7c1000
      ${others.map((text) => text.trim()).join('\n')}`);
    quiet(trace, { 'pi.update': 1, 'vfio.fire': 1, 'irq.entry': 7 });
  });

  it('FA2 kvm_msi_set_irq is printed because routes change', () => {
    const decoded = ['34', '35', '36'].map(
      (v) => `qemu-736 [002] ..... 49.80000${v[1]}: kvm_msi_set_irq: dst 0 vec ${v} (Fixed|physical|edge)`,
    );
    quiet(ftrace(`${delivery('49')}${guest('49')}\n${decoded.join('\n')}${delivery('50')}${guest('50')}`), {
      'kvm.msi': 5,
      'apic.accept': 2,
    });
  });

  it('FA3 the fast path of an irqfd prints no kvm_set_irq', () => {
    const line = `kworker-9 [000] ..... 48.330801: kvm_set_irq: gsi 4 level 0 source 0
      kworker-9 [000] ...1. 48.330812: kvm_ioapic_set_irq: pin 4 dst 0 vec 0 (Fixed|physical|edge|masked)`;
    quiet(ftrace(`${line}${delivery('49')}${guest('49')}${delivery('50')}${guest('50')}`), {
      'kvm.line': 1,
      'irqfd.wakeup': 2,
      'kvm.msi': 2,
    });
  });

  it('FA4 vector 0xef stands for a reserved interrupt, of many irqs on one CPU', () => {
    const trace = slice('x86-vtd/ftrace.txt', 1515, 1900);
    quiet(trace, { 'vec.config': 39 });
    assert.equal(
      fixtureLines('x86-vtd/ftrace.txt')
        .slice(1514, 1900)
        .filter(({ text }) => text.includes('vector=239')).length,
      22,
    );
  });

  it('FA5 the message of an irq that is not active is zero', () => {
    const trace = slice('x86-vtd/ftrace.txt', 1651, 1830);
    assert.ok(
      fixtureLines('x86-vtd/ftrace.txt')
        .slice(1650, 1830)
        .some(({ text }) => /msiwrite: .*lo=0x0 hi=0x0 data=0x0/.test(text)),
    );
    quiet(trace, { 'vec.deactivate': 1 });
  });

  it('FA6 an irq is activated twice: first with reserve=1, then in earnest', () => {
    const trace = slice('x86-vtd/ftrace.txt', 1545, 1570);
    assert.deepEqual(
      fixtureLines('x86-vtd/ftrace.txt')
        .slice(1544, 1570)
        .flatMap(({ text }) => /vector_activate: irq=25 .*(reserve=\d)$/.exec(text)?.[1] ?? []),
      ['reserve=1', 'reserve=0'],
    );
    quiet(trace, { 'vec.activate': 3 });
  });

  it('FA7 the index of fault 0x25 means nothing: no entry is named for it', () => {
    const trace = made(`
      1 ir.enable irte/0 enable=true
      2 irte.write irte/0/37 value=0x2000010000002a00030000
      5 ir.fault irte/0 reason=37 sid=0x4200 index=0x1600
      6 ir.fault irte/0 reason=37 sid=0x6500 index=37`);
    const { findings } = checkTrace(trace, rules);
    assert.deepEqual(
      findings
        .map((f) => [f.rule.id, trace.world.path(f.object)])
        .filter(([id, path]) => id !== 'F33' || path !== 'irte/0'),
      [],
    );
    for (const { title, text } of findings)
      assert.doesNotMatch(`${title} ${text}`, /0x1600|5632|entry 37|0x25 of|index 37/);
  });

  it('FA8 a managed irq has no CPU left while those of its mask are offline', () => {
    quiet(slice('x86-vtd/ftrace.txt', 3731, 4353), { 'mtx.online': 2 });
    const trace = made(`
      1 vec.reserveManaged irq/33 ret=0
      2 vec.setup irq/33 legacy=false ret=0
      3 vec.activate irq/33 managed=true canReserve=false reserve=false
      4 vec.config irq/33 vector=35 cpu=1 apicDest=1
      10 cpu.state cpu/1 online=false
      11 irq.managed irq/33 shutdown=true
      12 vec.deactivate irq/33 managed=true canReserve=false reserve=false
      13 vec.config irq/33 vector=239 cpu=0 apicDest=0`);
    quiet(trace, { 'irq.managed': 1 });
  });

  it('FA9 kvm_apic_accept_irq says coalesced', () => {
    quiet(
      ftrace(
        `${delivery('49')}${delivery('50', 'Fixed|edge|(coalesced)')}${guest('51')}${delivery('52')}${guest('52')}`,
      ),
      {
        'vfio.fire': 3,
        'apic.accept': 3,
        'apic.inj': 2,
      },
    );
  });

  it('FA10 MSI-X is off while the table shows unmasked entries', () => {
    const entry = 'device/0000:00:03.0/msix/0';
    quiet(
      made(`
        1 msix.ctrl device/0000:00:03.0 enable=true fmask=false
        2 tbl.write ${entry} offset=0x0 size=8 value=0xfee00298
        3 tbl.write ${entry} offset=0x8 size=8 value=0x0
        10 msix.ctrl device/0000:00:03.0 enable=false fmask=false
        20 tbl.read ${entry} offset=0xc size=4 value=0x0
        30 tbl.read ${entry} offset=0x0 size=4 value=0xfee00298`),
      { 'tbl.read': 2 },
    );
  });

  it('FA11 one spurious interrupt behind a move of the vector', () => {
    const run = (stamp: string, ret: string): string => `
      <idle>-0 [001] d.h1. ${stamp}: irq_handler_entry: irq=41 name=xhci_hcd
      <idle>-0 [001] d.h1. ${stamp}: irq_handler_exit: irq=41 ret=${ret}`;
    const move = (stamp: string, from: number, to: number): string => `
      sh-1 [000] d..2. ${stamp}: vector_update: irq=41 vector=3${to} cpu=${to} prev_vector=3${from} prev_cpu=${from}
      sh-1 [000] d..1. ${stamp}: msiwrite: (pci_msi_domain_write_msg+0x4/0x30) irq=41 hwirq=0x0 lo=0xfee0${from}000 hi=0x0 data=0x2${to}
      sh-1 [000] d..1. ${stamp}: msiwrite: (pci_msi_domain_write_msg+0x4/0x30) irq=41 hwirq=0x0 lo=0xfee0${to}000 hi=0x0 data=0x2${to}`;
    const moves = [1, 2, 3, 4].map(
      (i) => `${move(`1${i}.1`, i % 2, (i + 1) % 2)}${run(`1${i}.2`, 'unhandled')}
      <idle>-0 [001] d.h1. 1${i}.3: vector_free_moved: irq=41 cpu=${i % 2} vector=3${i % 2} is_managed=0${run(`1${i}.4`, 'handled')}`,
    );
    quiet(ftrace(`${run('10.1', 'handled')}${moves.join('')}`), { 'irq.exit': 9, 'vec.freeMoved': 4 });
  });

  it('FA12 no kvm_pi_irte_update where the route did not change', () => {
    quiet(
      made(`
        1 route.set kvm/0/route/24 device=0000:00:04.0 vector=1 address=0xfee00000 data=0x22
        2 irqfd.assign kvm/0/irqfd/24 fd=30 release=false
        3 pi.update kvm/0/irqfd/24 enable=true hostIrq=28 vcpu=0 vector=34
        10 route.set kvm/0/route/24 device=0000:00:04.0 vector=1 address=0xfee00000 data=0x22
        11 route.commit kvm/0
        20 route.commit kvm/0`),
      { 'pi.update': 1, 'route.commit': 2 },
    );
  });

  it('FA13 the table entry of an irq that VFIO keeps stays present after its eventfd went', () => {
    quiet(
      made(`
        1 ir.enable irte/0 enable=true
        2 irte.write irte/0/37 value=0x2000010000002a00030001
        3 iec.inv irte/0/37 global=false index=37 mask=0
        4 vfio.bind vfio/0000:03:00.0/2/1 backend=pci eventfd=34 irq=28
        10 vfio.set vfio/0000:03:00.0 flags=0x24 index=2 start=1 count=1 ret=0 fd=-1
        11 vfio.bind vfio/0000:03:00.0/2/1 backend=pci
        12 vfio.use vfio/0000:03:00.0/2/1 used=false`),
      { 'irte.write': 1, 'vfio.bind': 2 },
    );
  });

  it('FA14 the IR- of a chip name says that remapping is on, and nothing about posting', () => {
    const text = `
      1 irq.identify irq/28 device=0000:00:03.0 hwirq=0 domain=IR-PCI-MSIX-0000:00:03.0
      2 irq.entry irq/28 name=vfio-msix[0](0000:00:03.0)
      3 vfio.fire vfio/0000:00:03.0/2/0 irq=28
      4 irq.exit irq/28 handled=true`;
    quiet(made(text), { 'irq.identify': 1, 'vfio.fire': 1 });
    const rule = (id: string): unknown => checkTrace(made(text), rules).verdicts()[id];
    assert.equal(rule('F59'), 'undecidable', 'nothing says that it was or was not posted');
  });

  it('FA15 QEMU takes an interrupt itself before the irqfd is set', () => {
    const log = `736@1795148485.285666:vfio_msix_enable  (0000:00:03.0)
736@1795148485.333289:vfio_msix_vector_do_use  (0000:00:03.0) vector 0 used
736@1795148485.336692:vfio_msix_pba_disable  (0000:00:03.0)
733@1795148485.340011:vfio_msi_interrupt  (0000:00:03.0) vector 0 0xfee00000/0x22
733@1795148485.341200:vfio_msi_interrupt  (0000:00:03.0) vector 0 0xfee00000/0x22
736@1795148485.345533:kvm_irqchip_add_msi_route dev vfio-pci vector 0 virq 2
736@1795148485.345750:kvm_irqchip_commit_routes 
`;
    quiet(importText(log), { 'vfio.fire': 2, 'vfio.use': 1, 'route.set': 1 });
  });

  it('FA16 the numbers of the vector matrix jump when CPUs go and come', () => {
    const trace = slice('x86-vtd/ftrace.txt', 3045, 4353);
    quiet(trace, { 'mtx.online': 2, 'mtx.unsure': 2 });
  });

  it('all sixteen are here', () => {
    const source = readFileSync(resolve(import.meta.dirname, 'false-alarms.test.ts'), 'utf8');
    const ids = [...source.matchAll(/ it\('FA(\d+) /g)].map((m) => Number(m[1]));
    assert.deepEqual(
      ids,
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
  });
});
