// Which breaches say that an interrupt did not reach its handler: each kind of breach of the rules that have several, by what the
// failure catalogue says of it, and all planted faults, by the books of the simulated machine.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import { foundAt } from '../../src/check/found.ts';
import { worstFirst } from '../../src/check/report/view.ts';
import { rules } from '../../src/check/rules.ts';
import { plantedFaults } from '../../src/sim/faults/faults.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { bundled, scenarioOf } from '../sim/run.ts';
import { judged, made } from './made.ts';

/** Of each finding of a rule its severity, and whether it says that an interrupt was lost. */
const told = (text: string, id: string, complete = false): (readonly [string, boolean])[] =>
  judged(made(text, complete), id).findings.map(({ severity, lost }) => [severity, lost]);

const LOST = ['error', true];
const BROKEN = ['error', false];
const POSSIBLE = ['warning', false];

const FN = 'device/0000:00:03.0';
const E = `${FN}/msix`;
/** Memory decoded, bus master on, MSI-X on with four entries; entry 1 has a message and is not masked. */
const SETUP = `
  1 cfg.read ${FN} offset=0x4 size=2 value=0x406
  1 cfg.read ${FN} offset=0x34 size=1 value=0x60
  1 cfg.read ${FN} offset=0x60 size=4 value=0x80030011
  2 tbl.write ${E}/1 offset=0x0 size=8 value=0x9000040
  2 tbl.write ${E}/1 offset=0x8 size=8 value=0x1
  3 dev.raise ${E}/1 vector=1
  3 send ${E}/1 address=0x9000040 data=0x1 requester=0x18`;

describe('an interrupt that did not reach its handler', () => {
  it('F01 a message that is owed, and a pending bit that is dropped', () => {
    const mask = `10 tbl.write ${E}/1 offset=0xc size=4 value=0x1\n20 dev.raise ${E}/1 vector=1 cause=7`;
    const open = `30 tbl.write ${E}/1 offset=0xc size=4 value=0x0\n2000 tbl.read ${E}/0 offset=0xc size=4 value=0x1`;
    assert.deepEqual(told(`${SETUP}\n${mask}\n${open}`, 'F01'), [LOST]);
    const taken = `30 dev.withdraw ${E}/1\n30 drop ${E}/1 reason="the pending bits were not migrated" cause=7`;
    assert.deepEqual(told(`${SETUP}\n${mask}\n${taken}`, 'F01', true), [LOST]);
  });

  it('F10 a message to address 0; another one of an irq that is down may arrive at a handler', () => {
    assert.deepEqual(told(`${SETUP}\n10 send ${E}/1 address=0x0 data=0x0`, 'F10'), [LOST]);
    const down = `3 irq.identify irq/25 device=0000:00:03.0 hwirq=1 domain=PCI-MSIX-0000:00:03.0
      4 vec.deactivate irq/25 managed=false canReserve=true reserve=false`;
    assert.deepEqual(told(`${SETUP}\n${down}\n10 send ${E}/1 address=0x9000040 data=0x1`, 'F10'), [BROKEN]);
    // DMA to page 0 need not be a message.
    const dmar =
      'DMAR: [DMA Write NO_PASID] Request device [00:03.0] fault addr 0x0 [fault reason 0x05] PTE Write access is not set';
    assert.deepEqual(told(`${SETUP}\n${down}\n10 message log text="${dmar}"`, 'F10'), [BROKEN]);
  });

  it('R01 a vector without an entry or a message; one that waits behind its mask is pending', () => {
    assert.deepEqual(told(`${SETUP}\n10 dev.raise ${E}/4 vector=4`, 'R01'), [LOST]);
    const zero = `5 tbl.write ${E}/3 offset=0x0 size=8 value=0x0\n5 tbl.write ${E}/3 offset=0x8 size=8 value=0x0`;
    assert.deepEqual(told(`${SETUP}\n${zero}\n10 dev.raise ${E}/3 vector=3`, 'R01'), [LOST]);
    const masked = `${SETUP.replace('value=0x80030011', 'value=0x30011')}
      4 tbl.write ${E}/2 offset=0xc size=4 value=0x1\n5 cfg.write ${FN} offset=0x62 size=2 value=0x8003
      10 dev.raise ${E}/2 vector=2\n2000000 tbl.read ${E}/0 offset=0xc size=4 value=0x0`;
    assert.deepEqual(told(masked, 'R01'), [POSSIBLE]);
  });

  it('R11 MSI that was off under a cause; only where it stays off it may be meant', () => {
    const msi = `
      1 cfg.read ${FN} offset=0x4 size=2 value=0x6
      1 cfg.read ${FN} offset=0x34 size=1 value=0x40
      1 cfg.read ${FN} offset=0x40 size=4 value=0x800005
      2 cfg.write ${FN} offset=0x44 size=4 value=0x8000040
      3 cfg.write ${FN} offset=0x42 size=2 value=0x81
      100 cfg.write ${FN} offset=0x42 size=2 value=0x80
      200 dev.intx ${FN} level=true`;
    assert.deepEqual(told(`${msi}\n300 cfg.write ${FN} offset=0x42 size=2 value=0x81`, 'R11'), [LOST]);
    assert.deepEqual(told(msi, 'R11'), [POSSIBLE]);
  });

  it('F24 a vector that an irq gave up; not a handler on the wrong CPU, and not what may be of the firmware', () => {
    const update = '1 vec.update irq/24 vector=33 cpu=1 prevVector=34 prevCpu=0';
    const freed = '1000 vec.freeMoved irq/24 cpu=0 vector=34 managed=false';
    const said = 'message log text="__common_interrupt: 0.34 No irq handler for vector"';
    assert.deepEqual(told(`${update}\n${freed}\n3000 ${said}`, 'F24'), [LOST]);
    assert.deepEqual(told(`3 ${said}`, 'F24'), [BROKEN]);
    assert.match(judged(made(`3 ${said}`), 'F24').findings[0]!.text, /whether a driver waits for it is not known/);
    // A simulation says itself that the interrupt of a cause ended there.
    assert.deepEqual(told('3@0 drop cpu/0/vector/34 reason="no irq handler for vector" cause=1', 'F24', true), [LOST]);
    const handler = '3000@0 irq.entry irq/24 name=nvme0';
    assert.deepEqual(told(`${update}\n${freed}\n${handler}`, 'F24', true), [BROKEN]);
  });

  it('F40 a cause inside the window; the window itself is an exposure', () => {
    const V = 'vfio/0000:03:00.0';
    const set = 'flags=0x24 index=2 start=0 count=1';
    const window = (inside: string): string => `
      1 vfio.bind ${V}/2/0 eventfd=34 irq=28 entry=device/0000:03:00.0/msix/0
      10 vfio.set ${V} ${set}
      ${inside}
      20 vfio.return ${V} index=2 start=0 count=1 ret=0
      30 vfio.fire ${V}/2/1
      90 dev.raise device/0000:03:00.0/msix/0`;
    assert.deepEqual(told(window('15 dev.raise device/0000:03:00.0/msix/0'), 'F40', true), [LOST]);
    assert.deepEqual(told(window(''), 'F40'), [POSSIBLE]);
  });

  it('F55 nothing wakes a halted virtual CPU; one that runs takes what is posted at its next entry, and so does that of F56', () => {
    const pi = (control: string): string => `1 pi.write vcpu/0/pi control=${control}`;
    const post = (at: number, notified: boolean): string =>
      `${at} pi.post vcpu/0/pi vector=81 set=true notified=${notified}`;
    assert.deepEqual(
      told(
        `${pi('0xf10002')}\n2 kvm.exit vcpu/0 reason=HLT\n3 vcpu.sched vcpu/0 on=false sleeps=true\n${post(10, false)}`,
        'F55',
      ),
      [LOST],
    );
    assert.deepEqual(told(`${pi('0xf20002')}\n2 kvm.entry vcpu/0`, 'F55'), [BROKEN]);
    const ran = `${pi('0xf20000')}\n2 kvm.entry vcpu/0\n${post(10, true)}\n5000 kvm.exit vcpu/0 reason=HLT`;
    assert.deepEqual(told(ran, 'F56'), [BROKEN]);
  });

  it('F63 a descriptor that was refused, not one that raised the interrupt all the same; F64 a handle that is gone', () => {
    const entry = '1 ims.store device/0000:03:00.0/ims/1 offset=0xc size=4 value=0x5008 where="device memory"';
    const done = (status: string, handle = 1): string =>
      `${entry}\n2 qd.complete device/0000:03:00.0/queue/0 status=${status} pasid=261 handle=${handle}`;
    assert.deepEqual(told(done('0x19'), 'F63'), [LOST]);
    assert.deepEqual(told(done('0x1'), 'F63'), [BROKEN]);
    assert.deepEqual(told(done('0x19', 7), 'F64'), [LOST]);
  });

  it('F68 a hypercall that failed is no interrupt: none was due, and the old target may still get it', () => {
    for (const number of ['0x7c', '0x7d', '0x7e'])
      assert.deepEqual(
        told(`1 hcall kvm/0 number=${number}\n2 hcall.return kvm/0 number=${number} ret=6`, 'F68'),
        [BROKEN],
        number,
      );
  });

  it('F70 a message that the SMMU refused, or that reached no doorbell; not DMA, nor what happens while nothing translates', () => {
    const stream = 'smmu/0/stream/0x18';
    const fault = 'event=SMMU_EVT_F_TRANSLATION reason=SMMU_EVT_F_TRANSLATION';
    const raise = `10/t dev.raise ${E}/1 vector=1`;
    assert.deepEqual(told(`${SETUP}\n${raise}\n11/t smmu.fault ${stream} iova=0x9000040 ${fault}`, 'F70'), [LOST]);
    assert.deepEqual(told(`${SETUP}\n${raise}\n11/t smmu.fault ${stream} iova=0xa000000 ${fault}`, 'F70'), [POSSIBLE]);
    const drop = `12 drop ${E}/1 reason="nobody answers the write to 0x9000040"`;
    const trans = `4 smmu.trans ${stream} iova=0x0 output=0x0 perm=0x3`;
    assert.deepEqual(told(`${SETUP}\n${trans}\n${raise}\n${drop}`, 'F70'), [LOST]);
    const bypass = `4 smmu.bypass ${stream} iova=0x9000040 write=true reason=disabled`;
    assert.deepEqual(told(`${SETUP}\n${trans}\n${bypass}\n${raise}\n${drop}`, 'F70'), [POSSIBLE]);
  });

  it('F71 a wrong address loses nothing before a message is sent to it', () => {
    const set = '1 iommufd.vmsi iommufd/1/vmsi/0000:00:03.0/0 iova=0xeeee0040';
    const irq = '2 irq.identify irq/35 device=0000:00:03.0 hwirq=0 domain=ITS-PCI-MSIX-0000:00:03.0';
    assert.deepEqual(told(`${set}\n${irq}\n3 msg.write irq/35 address=0x8000040 data=0x0`, 'F71'), [BROKEN]);
  });

  it('F75 a message without a translation; not a command that the ITS refuses', () => {
    const event = 'its/0/device/0x18/event/6';
    const trans = `20 its.trans ${event} device=0x18 event=0x6 size=4`;
    const error = `21 its.error ${event} text="do_process_its_cmd: invalid ITE" reason="EventID is not mapped (no MAPTI)"`;
    assert.deepEqual(told(`${trans}\n${error}`, 'F75'), [LOST]);
    const movi = `1 its.movi ${event} collection=7\n2 its.error ${event} text="process_movi: invalid CTE" reason="its collection is not mapped (no MAPC)"`;
    assert.deepEqual(told(movi, 'F75'), [POSSIBLE]);
  });

  it('F78 an LPI that the redistributor still holds as disabled; one that it holds as enabled was delivered', () => {
    const mapti = '1 its.mapti its/0/device/0x18/event/6 lpi=8200 collection=0';
    const config = (enabled: boolean): string => `${mapti}
      2 lpi.config gic/0/lpi/8200 enabled=${!enabled} priority=0xa0\n3 lpi.load gic/0/lpi/8200
      4 lpi.config gic/0/lpi/8200 enabled=${enabled} priority=0xa0
      20 its.trans its/0/device/0x18/event/6 device=0x18 event=0x6 size=4`;
    assert.deepEqual(told(config(true), 'F78'), [LOST]);
    assert.deepEqual(told(config(false), 'F78'), [BROKEN]);
  });

  /** Faults whose own finding says that an interrupt was lost, with where the catalogue says so. */
  const OWN: ReadonlySet<string> = new Set([
    ...['F01', 'F10', 'I-P5', 'R01', 'R03'], // 4.1: not sent, sent to address 0, or served by a poll
    ...['F24', 'F25'], // 4.2: no handler, lost on cleanup
    ...['F30', 'F33', 'F34', 'F35'], // 4.3: refused
    ...['F40', 'F44', 'F50', 'F54'], // 4.4, 4.5: nothing keeps it
    'R11', // the function falls back to a pin that nobody listens to
    ...['F63', 'F64'], // 4.6: status 0x19, no interrupt
    ...['F70', 'F75', 'F78'], // 4.7
    'R22', // an event channel stays masked: nothing takes the event
    'R26', // what pends at the old hart of a move is claimed by nobody (__imsic_local_sync)
  ]);
  /**
   * Faults after which the machine loses causes and no finding is an error about a loss: with Bus Master Enable 0 the device may keep
   * them, after MAPD was refused the driver goes on without MSI-X, and a timer whose line stays up shows no cause that could be missed.
   * An NMI in place of an interrupt is a finding about security.
   */
  const UNTOLD: ReadonlySet<string> = new Set(['F12', 'F39', 'F76', 'R13']);

  const run = (scenario: string, settings: Readonly<Record<string, string>>): Simulation => {
    const simulation = new Simulation({ scenario: scenarioOf(bundled(scenario)), seed: 1, settings, operations: [] });
    simulation.run();
    return simulation;
  };
  const sound = new Map<string, number>();
  /** How many causes a run without a fault drops; no rule finds a loss in it. */
  const droppedWithout = (scenario: string, settings: Readonly<Record<string, string>>): number => {
    const key = JSON.stringify([scenario, settings]);
    const known = sound.get(key);
    if (known !== undefined) return known;
    const { trace, machine } = run(scenario, settings);
    const losses = checkTrace(trace, rules).findings.filter(({ lost }) => lost);
    // The workload of viommu-faults makes faults of stage 1, each of which is a loss: the planted faults are about how the guest is told.
    assert.deepEqual(
      losses.filter(({ rule }) => scenario !== 'viommu-faults' || rule.id !== 'F70'),
      [],
    );
    const { dropped } = machine.ledger.tally();
    sound.set(key, dropped);
    return dropped;
  };

  for (const fault of plantedFaults)
    it(`planted ${fault.id}: told as the machine counts it`, () => {
      const { id, rule = id, scenario, settings = {} } = fault;
      const broken = run(scenario, { ...settings, fault: id });
      const { findings } = checkTrace(broken.trace, rules);
      const own = findings.filter((finding) => finding.rule.id === rule);
      assert.equal(
        own.some(({ lost }) => lost),
        OWN.has(id),
      );
      const dropped = broken.machine.ledger.tally().dropped - droppedWithout(scenario, settings);
      if (dropped > 0)
        assert.equal(
          findings.some(({ lost }) => lost),
          !UNTOLD.has(id),
        );
    });

  it('comes first among the findings of its severity, and marks its object up to the step', () => {
    const stray = 'message log text="No irq handler for 0.34"';
    const { findings, rules: all } = judged(
      made(`1 ${stray}\n2 vec.update irq/24 vector=33 cpu=1 prevVector=34 prevCpu=0
      3 vec.freeMoved irq/24 cpu=0 vector=34 managed=false\n4 ${stray}\n5 message log text="No irq handler for 0.35"`),
      'F24',
    );
    assert.deepEqual(
      findings.map(({ step, lost }) => [step, lost]),
      [
        [0, false],
        [3, true],
        [4, false],
      ],
    );
    assert.deepEqual(
      worstFirst(findings).map(({ step }) => step),
      [3, 0, 4],
    );
    const [first, , last] = findings;
    const one = { rule: all[0]!.id };
    assert.deepEqual(foundAt(findings, 0), new Map([[first!.object, [{ ...one, lost: false }]]]));
    assert.deepEqual(
      foundAt(findings, 4),
      new Map([
        [first!.object, [{ ...one, lost: true }]],
        [last!.object, [{ ...one, lost: false }]],
      ]),
    );
  });

  it('says that an interrupt was lost also where it is suppressed, and nothing else then', () => {
    const { findings, rules: all } = judged(
      made(`1 message log text="No irq handler for 0.34"
      2 vec.update irq/24 vector=33 cpu=1 prevVector=34 prevCpu=0
      3 vec.freeMoved irq/24 cpu=0 vector=34 managed=false\n4 message log text="No irq handler for 0.34"`),
      'F24',
    );
    const [quiet, lost] = findings;
    assert.deepEqual([quiet?.lost, lost?.lost, quiet?.object], [false, true, lost?.object]);
    const rule = all[0]!.id;
    assert.deepEqual(foundAt([], 4, findings), new Map([[lost!.object, [{ rule, lost: true, suppressed: true }]]]));
    assert.deepEqual(foundAt([], 0, findings), new Map());
    assert.deepEqual(
      foundAt([quiet!], 4, [lost!]),
      new Map([
        [
          lost!.object,
          [
            { rule, lost: false },
            { rule, lost: true, suppressed: true },
          ],
        ],
      ]),
    );
  });
});
