// S0: what shares a page with the permission table, and what trapping it costs. Offsets: drivers/dma/idxd/registers.h.
import assert from 'node:assert/strict';
import type { EventView } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { idxdRegions } from '../../../src/sim/device/idxd-regions.ts';
import {
  collateral,
  lintLayout,
  ownerOf,
  type RegionRegister,
  sparseAreas,
  trappedPages,
} from '../../../src/sim/device/regions.ts';
import { assignedDevices } from '../../../src/sim/vfio/assigned-devices.ts';
import { bundled, events, run } from '../run.ts';

const VDEV = 'vfio/vdev-0';
const hole = (settings: Record<string, string> = {}) => run(bundled('sparse-mmap-hole'), { settings });
const of = (all: readonly EventView[], kind: string): EventView[] => all.filter((e) => e.kind === kind);

const layout = (permissions: number, extra: readonly RegionRegister[] = []) =>
  idxdRegions({ permissions, table: 0x2000, pending: 0x3000, vectors: 4, size: 0x10000, extra });
const wanted = (r: RegionRegister): boolean => r.kind === 'trapped';

describe('S0: the page of the permission table', () => {
  it('S0-4 the table at 0x600 shares the first page: every access to that page exits, for every owner of the byte', () => {
    const map = layout(0x600);
    assert.deepEqual(trappedPages(map, wanted), [0]);
    assert.equal(ownerOf(map, 0x98)?.name, 'INTCAUSE');
    assert.equal(ownerOf(map, 0x61f)?.name, 'MSIX_PERM');
    assert.equal(ownerOf(map, 0x620), undefined);
    const traps = of(events(hole()), 'vfio.trap');
    const count = (name: string): number => traps.filter((e) => e.fields['register'] === name).length;
    // As many as the workload makes in that page: three at the start, the table, 20 of HEAD, one of SWERR.
    assert.deepEqual(['GENCAP', 'WQCAP', 'GENCTRL', 'MSIX_PERM', 'HEAD', 'SWERR'].map(count), [1, 1, 1, 1, 20, 1]);
    assert.equal(traps.length, 25);
    assert.equal(pathValue(hole().trace.head, `${VDEV}/traps`), 1);
    assert.equal(pathValue(hole().trace.head, `${VDEV}/collateral`), 24);
  });

  it('S0-5 the report has a histogram by register and warns of the one that is used for every piece of work', () => {
    const sim = hole();
    const texts = of(events(sim), 'mark').map((e) => String(e.fields['text']));
    assert.match(texts[0]!, /^HEAD \(hot\): 20 trapped accesses; used for every piece of work/);
    assert.equal(texts.filter((t) => t.includes('every piece of work')).length, 1);
    assert.ok(texts.includes('MSIX_PERM (init): 1 trapped accesses'));
    const { vdcm } = sim.setup.use(assignedDevices).get('vdev-0')!;
    assert.deepEqual(
      vdcm!.hot().map((t) => [t.register.name, t.count]),
      [['HEAD', 20]],
    );
    const costs = of(events(sim), 'vfio.trap').map((e) => Number(e.fields['cost']));
    assert.ok(Math.min(...costs) > 1000 && costs.length >= 20, 'every access of the register that is hot is an exit');
  });

  it('S0-6 the lint names vector table and pending bits that share a page with registers, with pages of 4 KiB and of 8 KiB', () => {
    const clean = layout(0x4000);
    assert.deepEqual(lintLayout(clean), []);
    const mixed = idxdRegions({
      permissions: 0x4000,
      table: 0x800,
      pending: 0x900,
      vectors: 4,
      size: 0x10000,
      extra: [],
    });
    assert.deepEqual(
      lintLayout(mixed).map((f) => [f.rule, f.text.split(' (')[0]]),
      [
        ['align', 'MSI-X table'],
        ['shared', 'MSI-X table'],
        ['align', 'MSI-X PBA'],
        ['shared', 'MSI-X PBA'],
      ],
    );
    // At 0x2000 and 0x3000 both are alone with pages of 4 KiB; with 8 KiB the pending bits start inside the page of the table.
    assert.deepEqual(
      lintLayout(clean, 0x2000).map((f) => f.rule),
      ['align'],
    );
    const told = of(events(hole()), 'layout.lint').map((e) => e.fields['rule']);
    assert.deepEqual(told, ['align', 'shared', 'hot']);
  });

  it('S0-13 vector table and pending bits lie on pages of their own and are trapped apart from the permission table', () => {
    const special = (r: RegionRegister): boolean => r.kind !== undefined;
    assert.deepEqual(trappedPages(layout(0x600), special), [0, 0x2000, 0x3000]);
    const areas = of(events(hole({ sparseHole: 'missing' })), 'vfio.sparse').map((e) => [
      e.fields['offset'],
      e.fields['size'],
    ]);
    assert.deepEqual(areas, [
      ['0x0', '0x2000'],
      ['0x4000', '0xc000'],
    ]);
  });

  it('S0-15 trapping the table traps its neighbours; on a page of its own it traps nobody', () => {
    const names = collateral(layout(0x600), wanted).map((r) => r.name);
    assert.equal(names.length, 19);
    assert.ok(names.includes('GENCAP') && names.includes('CMD') && names.includes('WQCFG'));
    assert.deepEqual(collateral(layout(0x4000), wanted), []);
    const apart = of(events(run(bundled('ims-permission-after'))), 'vfio.trap');
    assert.deepEqual([...new Set(apart.map((e) => e.fields['wanted']))], [true]);
  });

  it('S0-16 registers of start-up and errors are not touched in a steady state: the rate of each is 0 while descriptors complete', () => {
    const all = events(run(bundled('idxd-steady-state')));
    const reports = of(all, 'mark').map((e) => ({ time: Number(e.time), text: String(e.fields['text']) }));
    const texts = (time: number): string[] => reports.filter((r) => r.time === time).map((r) => r.text);
    const registers = ['GENCAP (init)', 'GENCTRL (init)', 'SWERR (admin)', 'MSIX_PERM (init)'];
    assert.deepEqual(
      texts(1e-3),
      registers.map((name) => `${name}: 1 trapped accesses`),
    );
    assert.deepEqual(
      texts(7e-3),
      registers.map((name) => `${name}: 1 trapped accesses, 0 since the last report (0 per ms)`),
    );
    // In these 6 ms 100 descriptors came, one each 50 us, and every one completed with an interrupt of the guest.
    const steady = all.filter((e) => Number(e.time) > 1e-3 && Number(e.time) < 7e-3);
    assert.equal(of(steady, 'qd.complete').filter((e) => e.fields['status'] === '0x1').length, 100);
    assert.equal(of(steady, 'apic.eoi').length, 100);
    assert.equal(of(steady, 'vfio.trap').length, 0);
    assert.deepEqual([...new Set(of(steady, 'kvm.exit').map((e) => e.fields['reason']))], ['EXTERNAL_INTERRUPT']);
  });

  it('S0-16 a register that every piece of work uses has a rate that is not 0', () => {
    const document = bundled('sparse-mmap-hole') as { workload: object[] };
    const sim = run({
      ...document,
      workload: [...document.workload, { at: '480us', op: 'vfio.report', object: VDEV }],
    });
    // 20 accesses of HEAD between the reports at 480 us and 1 ms: 38.46 per ms. SWERR was read once, GENCAP before.
    const last = of(events(sim), 'mark').filter((e) => Number(e.time) === 1e-3);
    const rates = last.map((e) =>
      /^(\w+) .*, (\d+) since the last report \((.*) per ms\)/.exec(String(e.fields['text'])),
    );
    assert.deepEqual(
      new Map(rates.map((m) => [m![1], [m![2], m![3]]])),
      new Map([
        ['HEAD', ['20', '38.46']],
        ['GENCAP', ['0', '0']],
        ['WQCAP', ['0', '0']],
        ['GENCTRL', ['0', '0']],
        ['SWERR', ['1', '1.92']],
        ['MSIX_PERM', ['0', '0']],
      ]),
    );
  });

  it('S0-17 the sparse areas leave out the page; without the hole the write of the table is seen by nobody but the device', () => {
    assert.deepEqual(sparseAreas(layout(0x600), [0, 0x2000, 0x3000]), [
      { offset: 0x1000, size: 0x1000 },
      { offset: 0x4000, size: 0xc000 },
    ]);
    const seen = events(hole());
    const unseen = events(hole({ sparseHole: 'missing' }));
    assert.equal(of(seen, 'vfio.region').filter((e) => e.fields['offset'] === '0x608').length, 1);
    assert.equal(of(unseen, 'vfio.region').length + of(unseen, 'vfio.trap').length, 0);
    // The access at 0x1000 lies in a mapped area in both cases.
    assert.ok(!of(seen, 'vfio.trap').some((e) => e.fields['offset'] === '0x1000'));
    const written = (all: readonly EventView[]): unknown[] => of(all, 'perm.write').map((e) => e.object);
    assert.deepEqual(written(seen), ['device/0000:00:06.0/perm/1']);
    assert.deepEqual(written(unseen), ['device/0000:6a:01.0/perm/1']);
    const status = (all: readonly EventView[]): unknown[] => of(all, 'qd.complete').map((e) => e.fields['status']);
    assert.deepEqual(status(seen), ['0x1']);
    assert.deepEqual(status(unseen), ['0x19']);
  });

  it('S0-18 the lint warns when a latency-sensitive register shares the page, and only then', () => {
    const head = (offset: number): RegionRegister => ({ name: 'HEAD', offset, size: 8, latency: 'hot' });
    const hot = (offset: number) => lintLayout(layout(0x600, [head(offset)])).filter((f) => f.rule === 'hot');
    assert.equal(hot(0x780).length, 1);
    assert.match(hot(0x780)[0]!.text, /^HEAD .* MSIX_PERM/);
    assert.deepEqual(hot(0x1000), []);
  });
});
