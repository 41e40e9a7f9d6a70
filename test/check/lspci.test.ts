// Rules that read the state of a function judge by what lspci tells of it.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import { rules } from '../../src/check/rules.ts';
import { joinTraces } from '../../src/import/join/join.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureBytes, fixtureTrace, importBytes, importText } from '../helpers/fixtures.ts';

const FUNCTION = '00:03.0 Ethernet controller: A B\n';
const control = (mem: string, master: string): string =>
  `\tControl: I/O- Mem${mem} BusMaster${master} SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+\n`;
const msix = (count: number): string =>
  `\tCapabilities: [40] MSI-X: Enable+ Count=${count} Masked-\n\t\tVector table: BAR=0 offset=00002000\n`;
const HEAD = '#irqtrace 1\n#clock seconds digits=6 "model time"\n';
const ENTRY = 'device/0000:00:03.0/msix';

/** lspci, then events. */
const join = (lspci: string, events: string): Trace =>
  joinTraces([{ trace: importText(lspci, 'a/lspci.txt') }, { trace: importText(HEAD + events, 'a/log.irqtrace') }]);
/** Ids of the rules that found something, with the objects. */
const found = (trace: Trace): string[] =>
  checkTrace(trace, rules).findings.map(({ rule, object }) => `${rule.id} ${trace.world.path(object)}`);

describe('rules and lspci', () => {
  /** Software programs an entry and unmasks it; then it has a cause. */
  const raise = (n: number): string =>
    `0.000001 cpu0 - tbl.write ${ENTRY}/${n} offset=0x0 size=8 value=0xfee00018\n0.000002 cpu0 - tbl.write ${ENTRY}/${n} offset=0x8 size=8 value=0x25\n0.000003 cpu0 - tbl.write ${ENTRY}/${n} offset=0xc size=4 value=0x0\n0.000004 cpu0 - dev.raise ${ENTRY}/${n} vector=${n}\n`;

  /** A log with handlers of irq 41, lspci, and /proc/interrupts of the same folder, whose counts tell where both stand. */
  const placed = (lspci: string, counted: number): Trace => {
    const handled = (time: string): string => `${time} cpu0 - irq.entry irq/41 name=eth0\n`;
    const events = `${HEAD}${handled('0.000001')}${handled('0.000002')}${handled('4.000000')}${raise(1).replaceAll('0.00000', '5.00000')}${handled('6.000000')}`;
    return joinTraces([
      { trace: importText(events, 'log.irqtrace') },
      {
        trace: importText(
          `            CPU0\n  41:          ${counted}  PCI-MSI 49152-edge      eth0\n`,
          's/interrupts',
        ),
      },
      { trace: importText(lspci, 's/lspci.txt') },
    ]);
  };

  it('BusMaster- while a vector is due: F12, where something tells that lspci stands before', () => {
    const [off, on] = ['-', '+'].map((master) => FUNCTION + control('+', master) + msix(4)) as [string, string];
    assert.ok(found(placed(off, 2)).includes(`F12 ${ENTRY}/1`));
    assert.ok(!found(placed(on, 2)).some((f) => f.startsWith('F12')));
    // Taken at the end: what was on the bus before is not told.
    assert.ok(!found(placed(off, 4)).some((f) => f.startsWith('F12')));
    // Nothing tells when lspci was run: the rule does not judge.
    assert.equal(checkTrace(join(off, raise(1)), rules).verdicts()['F12'], 'undecidable');
  });

  it('a device that raises a vector beyond its table: R01, whenever lspci was run', () => {
    assert.ok(found(join(FUNCTION + control('+', '+') + msix(4), raise(5))).some((f) => f.startsWith('R01')));
    assert.ok(!found(join(FUNCTION + control('+', '+') + msix(8), raise(5))).some((f) => f.startsWith('R01')));
  });

  it('MSI and MSI-X of a function both on: F13, with lspci alone', () => {
    const msi = '\tCapabilities: [50] MSI: Enable+ Count=1/1 Maskable- 64bit+\n';
    assert.deepEqual(found(importText(FUNCTION + control('+', '+') + msix(4) + msi)), ['F13 device/0000:00:03.0']);
  });

  it('lspci of a healthy machine adds no finding', () => {
    const log = fixtureTrace('x86-vtd/qemu.log');
    const before = importBytes(fixtureBytes('x86-vtd/snap-lspci-before.txt'), undefined, 'a/lspci.txt');
    assert.deepEqual(found(before), []);
    const count = (trace: Trace): number => checkTrace(trace, rules).findings.length;
    assert.equal(count(joinTraces([{ trace: log }, { trace: before }])), count(log));
  });
});
