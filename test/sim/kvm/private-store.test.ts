// Messages of a TDX guest in memory that the host does not reach: who is refused, what still works, what isolates it.
import assert from 'node:assert/strict';
import { msixEntry } from '../../../src/model/things/pci.ts';
import type { EventView } from '../../../src/query/events.ts';
import { comparing } from '../../../src/sim/measures/compare.ts';
import { Simulation } from '../../../src/sim/simulation.ts';
import { StreamRecorder } from '../../../src/sim/stream.ts';
import { comparedRows, verdict } from '../../../src/view/policy-comparison.ts';
import { foundByAll } from '../../check/made.ts';
import { importText } from '../../helpers/fixtures.ts';
import { bundled, events, run, scenarioOf } from '../run.ts';

const NAME = 'tdx-private-store';
type Settings = Readonly<Record<string, string>>;
const of = (settings: Settings = {}): EventView[] => events(run(bundled(NAME), { settings }));
const some = (all: readonly EventView[], kind: string): EventView[] => all.filter((e) => e.kind === kind);
const refused = (all: readonly EventView[]): unknown[] =>
  some(all, 'dom.create')
    .filter((e) => Number(e.fields['ret']) < 0)
    .map((e) => [e.object, e.fields['ret']]);
/** Handlers of the guest that ran. */
const handled = (all: readonly EventView[]): number =>
  some(all, 'irq.entry').filter((e) => e.object.startsWith('guest/')).length;
const HOST = 'domain/PCI-MSIX-0000:03:00.0';
/** Stores into the table by the guest. */
const stores = (all: readonly EventView[]): EventView[] => some(all, 'tbl.write').filter((e) => Number(e.time) > 0);
/** A guest that does not know that it is one, and composes as on bare metal. */
const UNAWARE = { 'guest.parent': 'vector', 'guest.knowsVm': 'no' };

describe('messages of a guest in memory that the host does not reach', () => {
  it('are stored without an exit; only hypercalls and config space take the guest out', () => {
    const all = of();
    const reasons = some(all, 'kvm.exit').map((e) => e.fields['reason']);
    const asked = some(all, 'guest.ve').length;
    const hypercalls = some(all, 'hcall').length;
    assert.ok(hypercalls > 0 && asked > 0);
    // A hypercall is a TDVMCALL from the start; what the guest cannot do by itself is a #VE first.
    assert.deepEqual(
      reasons,
      Array.from({ length: asked + hypercalls }, () => 'TDCALL'),
    );
    assert.ok(some(all, 'guest.ve').every((e) => e.fields['instead'] === 'IO_INSTRUCTION'));
    assert.ok(stores(all).length >= 8 && stores(all).every((e) => String(e.task).startsWith('guest')));
    assert.equal(handled(all), 3);
    const shared = of({ 'guest.storeMemory': 'shared', 'guest.trap': 'trapped' });
    assert.ok(some(shared, 'guest.ve').some((e) => e.fields['instead'] === 'EPT_MISCONFIG'));
    assert.equal(handled(shared), 3);
  });

  it('cannot be trapped: the host gets EFAULT for its bus domain, except for the MSI capability', () => {
    const trapped = (store: string, more: Settings = {}): unknown[] =>
      refused(of({ 'guest.trap': 'trapped', 'guest.store': store, ...more }));
    assert.deepEqual(trapped('msixTable'), [[HOST, -14]]);
    assert.deepEqual(trapped('deviceMemory'), [['domain/DEV-IMS-0000:03:00.0', -14]]);
    // Nobody wants to trap these: queue memory never could be, config space belongs to the host.
    assert.deepEqual(trapped('queueMemory'), []);
    assert.deepEqual(trapped('config'), []);
    assert.ok(some(of({ 'guest.trap': 'trapped', 'guest.store': 'config' }), 'cfg.write').length > 4);
    assert.deepEqual(trapped('msixTable', { 'guest.storeMemory': 'shared' }), []);
    assert.deepEqual(trapped('msixTable', { guestMemory: 'shared' }), []);
    assert.deepEqual(refused(of()), [], 'a host that does not want to');
  });

  it('need messages that the host composed: other parents are refused, for every storage', () => {
    const guest = (name: string): string => `guest/0/domain/${name}`;
    const bus = ['PCI-MSIX-0000:03:00.0', 'DEV-IMS-0000:03:00.0', 'QUEUE-IMS-0000:03:00.0'];
    for (const [i, store] of ['msixTable', 'deviceMemory', 'queueMemory'].entries()) {
      const with_ = (parent: string): unknown[] => refused(of({ 'guest.store': store, 'guest.parent': parent }));
      assert.deepEqual(with_('hypercall'), []);
      assert.deepEqual(with_('vector'), [
        [guest('VECTOR'), -95],
        [guest(bus[i]!), -95],
      ]);
      assert.deepEqual(
        (with_('remap') as [string, number][]).map(([, ret]) => ret),
        [-95, -95],
      );
      // The virtual PCI bus of Hyper-V composes for PCI functions, and Xen writes what it composes itself.
      assert.equal(with_('vpci').length, store === 'msixTable' ? 0 : 2);
      if (store === 'msixTable')
        for (const xen of ['xenPv', 'xenHvm']) assert.deepEqual(with_(xen), [[HOST, -14]], xen);
    }
    const P1 = { 'guest.parent': 'vector', 'guest.domainRefusal': 'subdevice' };
    assert.deepEqual(refused(of(P1)), [[guest(bus[0]!), -95]]);
  });

  it('of a guest that cannot tell reach the device untranslated: the remapping unit alone keeps them from the host', () => {
    for (const trap of ['trapped', 'untrapped']) {
      const all = of({ ...UNAWARE, 'guest.trap': trap });
      assert.equal(some(all, 'kvm.mmio').length, 0);
      assert.deepEqual(
        some(all, 'ir.fault').map((e) => e.fields['reason']),
        [0x25, 0x25, 0x25],
      );
      assert.equal(some(all, 'cpu.accept').length, 0);
    }
    const bare = events(run({ ...bundled(NAME), platform: { cpus: 4 } }, { settings: UNAWARE }));
    // The vector of the guest, at the CPU of the host whose APIC id its virtual CPU has.
    assert.equal(some(bare, 'cpu.accept')[0]?.object, 'cpu/0/vector/33');
  });

  it('that nobody granted are refused by the entry, not by a trap', () => {
    const document = bundled(NAME) as { workload: object[] };
    const write = { at: '400us', op: 'consumer.store', consumer: 'queue', address: '0xfee00518', data: '0x0' };
    const raise = { at: '450us', op: 'consumer.raise', consumer: 'queue' };
    const all = events(run({ ...document, workload: [...document.workload, write, raise] }));
    assert.deepEqual(
      some(all, 'ir.fault').map((e) => e.fields['reason']),
      [0x22],
    );
    const rules = some(all, 'illegal').map((e) => e.fields['rule']);
    assert.ok(rules.includes('INV-HCALL'));
  });

  it('are nothing that other guests have', () => {
    const kinds = (document: object, storeMemory: string): unknown[] =>
      events(run(document, { settings: { 'guest.storeMemory': storeMemory } })).map((e) => [e.kind, e.fields]);
    const amd = { ...bundled(NAME), platform: { cpus: 4, remap: 'amd' } };
    assert.deepEqual(kinds(amd, 'private'), kinds(amd, 'shared'));
    const plain = { ...bundled(NAME), policies: { 'guest.parent': 'hypercall' } };
    assert.deepEqual(kinds(plain, 'private'), kinds(plain, 'shared'));
  });

  it('stay unknown in a trace of the host alone, and no rule takes that for zero', () => {
    const parts: Uint8Array[] = [];
    const recipe = { scenario: scenarioOf(bundled(NAME)), seed: 1, settings: {}, operations: [] };
    const recorder = new StreamRecorder([], (bytes) => parts.push(bytes.slice()));
    new Simulation(recipe, recorder).run();
    recorder.end();
    const lines = Buffer.concat(parts).toString().split('\n');
    // Tasks: guest-kernel, guest-driver, and the device that sends.
    const trace = importText(lines.filter((line) => !/^\S+ \S+ (guest|device)/.test(line)).join('\n'));
    assert.ok(trace.length > 60);
    const { world } = trace;
    const entry = world.objectAt('device/0000:03:00.0/msix/0');
    const state = trace.stateAt(trace.length - 1);
    assert.ok(entry >= 0);
    const { address, data } = msixEntry.at;
    assert.deepEqual(
      [address, address + 1, data].map((cell) => state.known(entry, cell)),
      [0, 0, 0],
    );
    assert.deepEqual(foundByAll(trace), []);
  });

  it('compare: refusals with their errors, and the verdict names them', () => {
    const recipe = { scenario: scenarioOf(bundled(NAME)), seed: 1, settings: {}, operations: [] };
    const work = comparing(recipe, 'guest.parent', 0, 1_000_000);
    let at = work.next();
    while (!at.done) at = work.next();
    const rows = comparedRows(at.value);
    const cells = (label: string): readonly string[] => rows.find((r) => r.label === label)!.cells;
    assert.deepEqual(
      at.value.values.map(({ value }) => value),
      ['vector', 'remap', 'hypercall', 'vpci', 'xenPv', 'xenHvm'],
    );
    assert.deepEqual(cells('dom.create EOPNOTSUPP'), ['2', '2', '0', '0', '0', '0']);
    assert.deepEqual(cells('dom.create EFAULT'), ['0', '0', '0', '0', '1', '1']);
    assert.deepEqual(cells('delivered'), ['0', '0', '3', '3', '0', '0']);
    assert.match(verdict(at.value), /^vector is refused \(dom\.create EOPNOTSUPP\) and loses 3 of 3 causes/);
  });
});
