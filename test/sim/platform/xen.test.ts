// Message interrupts on Xen (domain notes 11; arch/x86/pci/xen.c, drivers/xen/events/events_base.c; xen/arch/x86/irq.c, xen/common/event_2l.c).
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import type { EventView } from '../../../src/query/events.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { found as foundIn, made } from '../../check/made.ts';
import { bundled, events, run } from '../run.ts';

const of = (all: readonly EventView[], kind: string): EventView[] => all.filter((e) => e.kind === kind);
const chain = (parent: string): Simulation => run(bundled('chain-xen'), { settings: { 'guest.parent': parent } });
/** Hypercalls as number and command. */
const calls = (all: readonly EventView[]): string[] =>
  of(all, 'hcall').map((e) => `${Number(e.fields['number'])}:${Number(e.fields['input'])}`);
const found = (sim: Simulation): string[] =>
  checkTrace(sim.trace, rules).findings.map((f) => `${f.rule.id} ${sim.trace.world.path(f.object)}: ${f.title}`);

describe('simulator: Xen', () => {
  for (const parent of ['xenPv', 'xenHvm'])
    it(`${parent}: every cause has one end, and nothing is found`, () => {
      const sim = chain(parent);
      const tally = sim.machine.ledger.tally();
      assert.deepEqual(sim.machine.ledger.twice, []);
      assert.equal(tally.delivered + tally.merged, 8);
      assert.equal(tally.inFlight + tally.pending + tally.dropped, 0);
      assert.deepEqual(found(sim), []);
    });

  it('S4-2 dom0 has no message: Xen stores, and PHYSDEVOP_map_pirq, EVTCHNOP_bind_pirq, irq_status_query and bind_vcpu are called', () => {
    const all = events(chain('xenPv'));
    assert.deepEqual(
      of(all, 'msg.write').filter((e) => e.object.startsWith('guest/')),
      [],
    );
    assert.equal(of(all, 'msg.write').length, 2);
    // physdev_op 33: map_pirq 13, irq_status_query 5; event_channel_op 32: bind_pirq 2, bind_vcpu 8, unmask 9.
    const [map, again, ...rest] = calls(all);
    assert.deepEqual([map, again], ['33:13', '33:13']);
    assert.deepEqual(rest.slice(0, 3), ['32:2', '33:5', '32:8']);
    assert.deepEqual(
      of(all, 'xen.pirq').map((e) => [e.object, e.fields['entry']]),
      [
        ['xen/0/pirq/24', 0],
        ['xen/0/pirq/25', 1],
      ],
    );
    assert.deepEqual(
      of(all, 'xen.bind').map((e) => e.object),
      ['xen/0/evtchn/1', 'xen/0/evtchn/2'],
    );
  });

  it('an HVM guest stores vector 0, ExtINT and the PIRQ as destination, each dword an exit; each interrupt has an EOI', () => {
    const all = events(chain('xenHvm'));
    const own = of(all, 'msg.write').filter((e) => e.object.startsWith('guest/'));
    // Destination in bits 19:12, delivery mode 7 in bits 10:8: PIRQ 24 and 25.
    assert.deepEqual(
      own.map((e) => [e.fields['address'], e.fields['data']]),
      [
        ['0xfee18000', '0x700'],
        ['0xfee19000', '0x700'],
      ],
    );
    assert.equal(of(all, 'kvm.exit').filter((e) => e.fields['reason'] === 'EPT_VIOLATION').length, 6);
    assert.equal(of(all, 'xen.eoi').length, of(all, 'xen.take').length);
    assert.deepEqual(calls(all).slice(0, 2), ['33:23', '33:23']);
  });

  it('an interrupt whose event waits merges, and Xen masks the entry until the EOI or for 1 ms', () => {
    for (const parent of ['xenPv', 'xenHvm']) {
      const all = events(chain(parent));
      const [held, let_, ...more] = of(all, 'xen.hold');
      assert.deepEqual(
        [held?.fields['held'], let_?.fields['held'], let_?.fields['by'], more],
        [true, false, 'EOI', []],
      );
      assert.equal(of(all, 'merge').length, 1, parent);
      // A PV domain ends only what its EOI map asks for.
      if (parent === 'xenPv') assert.equal(of(all, 'xen.eoi').length, 1);
    }
  });

  it('a masked port costs no exit; a move is one hypercall with the port masked around it', () => {
    const all = events(chain('xenPv'));
    const own = all.filter((e) => e.object === 'xen/0/evtchn/1');
    const moved = own.findLastIndex((e) => e.kind === 'xen.vcpu');
    assert.equal(own[moved]!.fields['vcpu'], 1);
    const about = own.slice(moved - 1, moved + 2);
    assert.deepEqual(
      about.map((e) => e.kind),
      ['xen.mask', 'xen.vcpu', 'xen.mask'],
    );
  });

  it('R22: nothing more happens at the port; other interrupts show that time goes on', () => {
    const begin =
      '1 xen.bind xen/0/evtchn/1 pirq=24 vcpu=0 closed=false\n2 xen.take xen/0/evtchn/2\n3 xen.pend xen/0/evtchn/1';
    const late = [
      `${begin}\n20000 irq.entry irq/30 name=nic`,
      `${begin}\n20000 cpu.take cpu/0/vector/40`,
      `${begin}\n20000 xen.take xen/0/evtchn/2`,
    ];
    for (const text of late)
      assert.deepEqual(
        foundIn(made(text), 'R22'),
        ['2 xen/0/evtchn/1: an event of event channel 1 of domain 0 is not taken: the port is masked'],
        text,
      );
    // 10 ms are not over, or the domain takes it.
    assert.deepEqual(foundIn(made(`${begin}\n9000 irq.entry irq/30 name=nic`), 'R22'), []);
    assert.deepEqual(foundIn(made(`${begin}\n4 xen.take xen/0/evtchn/1\n20000 irq.entry irq/30 name=nic`), 'R22'), []);
  });

  it('R22: a port that a move leaves masked', () => {
    const sim = run(bundled('xen-faults'), { settings: { fault: 'R22' } });
    const all = found(sim);
    assert.ok(
      all.some((text) => /^R22 xen\/1\/evtchn\/\d: an event of .* is not taken: the port is masked$/.test(text)),
      all.join('\n'),
    );
    assert.deepEqual(found(run(bundled('xen-faults'))), []);
  });
});
