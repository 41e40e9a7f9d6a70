// Any event of a delivery gives the same path, also where lines of the capture are gone.
import assert from 'node:assert/strict';
import { pathAt } from '../../../src/query/delivery/path.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, importText } from '../../helpers/fixtures.ts';

const text = (name: string): string => Buffer.from(fixtureBytes(name)).toString('latin1');

/** Numbers that look random and are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** Asks for the paths of some events, and for those of all hops of each; returns how many paths there were. */
function agrees(trace: Trace, samples: number): number {
  const random = numbers(7);
  let paths = 0;
  for (let i = 0; i < samples; i++) {
    const step = Math.floor(random() * trace.length);
    const path = pathAt(trace, step);
    if (path === undefined || !path.hops.some((hop) => hop.step === step)) continue;
    const { hops, delivered, reason } = path;
    paths++;
    for (const hop of hops) {
      const other = pathAt(trace, hop.step)!;
      const from = `step ${hop.step} of the path of step ${step}`;
      assert.deepEqual([other.hops, other.delivered, other.reason], [hops, delivered, reason], from);
    }
  }
  return paths;
}

/** A capture without one of twenty lines. */
function thinned(name: string): string {
  const random = numbers(11);
  return text(name)
    .split('\n')
    .filter((line) => line.startsWith('#') || random() > 0.05)
    .join('\n');
}

describe('paths: any event of a delivery will do', () => {
  for (const name of ['arm64-a/qemu.log', 'arm64-gicv2m/qemu.log', 'x86-nested/l1-vfio.txt', 'x86-vtd/qemu.log']) {
    it(name, () => assert.ok(agrees(importText(text(name)), 60) > 4));
    it(`${name} with lines that are gone`, () => assert.ok(agrees(importText(thinned(name)), 60) > 4));
  }

  it('a message whose arrival has no record does not arrive with that of a later one', () => {
    const entry = 'device/0000:00:03.0/msix/0';
    const message = 'address=0xfee00298 data=0x0';
    const delivery = (at: number, arrives: boolean): string[] => [
      `${at}.000001 - 7 dev.raise ${entry} vector=0`,
      `${at}.000002 - 7 send ${entry} ${message}`,
      ...(arrives
        ? [
            `${at}.000003 - 7 ir.request irte/0/20 ${message}`,
            `${at}.000004 - 7 irte.read irte/0/20 value=0x400180000000000210009`,
          ]
        : []),
    ];
    const lines = [
      '#irqtrace 1',
      '#clock seconds digits=6 "clock"',
      '0.000001 - 7 ir.seen irte/0 kind=VT-d',
      ...delivery(1, true),
      ...delivery(2, false),
      ...delivery(3, true),
    ];
    const trace = importText(`${lines.join('\n')}\n`);
    const paths = [4, 8, 10].map((line) =>
      pathAt(trace, trace.lastAtLine(line))!
        .hops.map(({ stage }) => stage)
        .join(' '),
    );
    assert.deepEqual(paths, ['cause message remap remap', 'cause message', 'cause message remap remap']);
    assert.equal(agrees(trace, 60) > 4, true);
  });

  describe('records that a capture leaves out', () => {
    /** The capture without some kinds of record, and the stages of the path of the 31st cause of vector 1 of the nvme in it. */
    const without = (pattern: RegExp): { stages: string; delivered: boolean | null } => {
      const lines = text('x86-vtd/qemu.log')
        .split('\n')
        .filter((line) => !pattern.test(line));
      const causes = lines.flatMap((line, i) => (line.includes('raising MSI-X IRQ vector 1') ? [i + 1] : []));
      const trace = importText(lines.join('\n'));
      const { hops, delivered } = pathAt(trace, trace.lastAtLine(causes[30]!))!;
      return { stages: hops.map(({ stage }) => stage).join(' '), delivered };
    };
    const cases: readonly (readonly [what: string, pattern: RegExp, stages: string])[] = [
      ['nothing', /^$/, 'cause message remap remap remap remap accept'],
      ['messages on the bus', /name 'vtd-ir'/, 'cause remap remap remap remap accept'],
      ['arrivals at the unit', /vtd_ir_remap_msi_req/, 'cause message remap remap remap accept'],
      ['table entries', /vtd_ir_irte_get/, 'cause message remap remap remap accept'],
      ['messages and arrivals', /name 'vtd-ir'|vtd_ir_remap_msi_req/, 'cause'],
    ];
    for (const [what, pattern, stages] of cases)
      it(`${what}: the other hops of the delivery stay together`, () => {
        const delivered = stages.endsWith('accept') ? true : null;
        assert.deepEqual(without(pattern), { stages, delivered });
      });
  });

  it('a table entry that the ITS read tells why the message is dropped', () => {
    const end = (rest: string): readonly [boolean | null, string | null] => {
      const lines = [
        '#irqtrace 1',
        '#clock seconds digits=6 "clock"',
        '1.000001 - 7 its.trans its/0/device/0x18/event/6 device=0x18 event=0x6 size=4',
        `1.000002 - 7 its.dte its/0/device/0x18 write=false ${rest} itt=0x47000000`,
      ];
      const { delivered, reason } = pathAt(importText(`${lines.join('\n')}\n`), 0)!;
      return [delivered, reason];
    };
    assert.deepEqual(end('valid=true size=1'), [
      false,
      'the ITS dropped the message: its EventID is out of range, the table of the device has 4',
    ]);
    assert.deepEqual(end('valid=false size=1'), [false, 'the ITS dropped the message: its DeviceID is not mapped']);
    assert.equal(end('valid=true size=2')[0], null);
  });

  it('a cause that nothing masks has its message within a millisecond, or none: the message of a later cause is not its own', () => {
    const fn = 'device/0000:00:03.0';
    const entry = `${fn}/msix/0`;
    const setup = [
      `0.000001 - 7 cfg.read ${fn} offset=0x34 size=1 value=0x60`,
      `0.000001 - 7 cfg.read ${fn} offset=0x60 size=4 value=0x80010011`,
      `0.000002 - 7 tbl.write ${entry} offset=0x0 size=8 value=0xfee00298`,
      `0.000003 - 7 tbl.write ${entry} offset=0x8 size=8 value=0x0`,
      `0.000004 - 7 dev.raise ${entry} vector=0`,
      `0.000005 - 7 send ${entry} address=0xfee00298 data=0x0`,
    ];
    const raise = (at: string): string => `1.${at} - 7 dev.raise ${entry} vector=0`;
    const send = (at: string): string => `1.${at} - 7 send ${entry} address=0xfee00298 data=0x0`;
    const mask = (at: string, bit: number): string => `1.${at} - 7 tbl.write ${entry} offset=0xc size=4 value=0x${bit}`;
    const first = (...lines: string[]): readonly [string, boolean | null, string | null] => {
      const all = ['#irqtrace 1', '#clock seconds digits=6 "clock"', ...setup, ...lines];
      const trace = importText(`${all.join('\n')}\n`);
      const { hops, delivered, reason } = pathAt(
        trace,
        all.findIndex((line) => line.startsWith('1.') && line.includes('raise')) - 2,
      )!;
      return [hops.map(({ stage }) => stage).join(' '), delivered, reason];
    };
    const alone = ['cause', false, 'nothing masks the entry, and no message follows'];
    assert.deepEqual(first(raise('000000'), raise('900000'), send('900001')), alone);
    assert.equal(first(raise('000000'), raise('000900'), send('000901'))[0], 'cause cause message');
    const masked = first(mask('000000', 1), raise('000001'), raise('900000'), mask('900001', 0), send('900002'));
    assert.equal(masked[0], 'cause cause message', 'behind a mask it waits');
  });
});
