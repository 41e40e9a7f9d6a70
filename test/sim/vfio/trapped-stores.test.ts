// A message in an MSI-X entry is three stores of 32 bits (PCIe 7.7.2.2: address, upper address, data): trapped, each of them exits.
import assert from 'node:assert/strict';
import { bundledScenarios } from '../../../src/sim/bundled.ts';
import { events, run } from '../run.ts';
import { at, entry, exits, machine, of, since } from '../seeds/seed2-machine.ts';

const message = (op = 'guest.write'): object[] =>
  [0, 4, 8].map((offset, i) => at(i * 20, op, entry(0), { offset, value: offset === 0 ? '0xfee00000' : '0x0' }));
const mask = (value: string): object => at(100, 'guest.write', entry(0), { offset: 12, value });
/** Exits of the virtual CPU, and returns to the VMM. */
const cost = (owner: string, work: readonly object[]): [number, number] => {
  const all = since(machine({ msixOwner: owner }, work));
  return [of(all, 'kvm.exit').filter((e) => e.fields.reason === 'EPT_MISCONFIG').length, exits(all)];
};

describe('trapped stores', () => {
  for (const [owner, toVmm, maskToVmm] of [
    ['user', 3, 1],
    ['maskBit', 3, 0],
    ['perEntry', 3, 0],
    ['cache', 3, 0],
    ['kernel', 3, 0],
    ['umem', 3, 0],
    ['internal', 0, 0],
  ] as const)
    it(`an emulated function, table of ${owner}: three exits for a message, ${toVmm} to the VMM; one for a mask, ${maskToVmm} to the VMM`, () => {
      assert.deepEqual(cost(owner, message()), [3, toVmm]);
      assert.deepEqual(cost(owner, [mask('0x1')]), [1, maskToVmm]);
      assert.deepEqual(cost(owner, [mask('0x0')]), [1, maskToVmm]);
    });

  it('an assigned function: three exits to QEMU for a message, one for a mask and one for an unmask', () => {
    const bdf = '0000:00:06.0';
    const to = (us: number, offset: number, value: string): object => ({
      at: `${us}us`,
      op: 'guest.write',
      object: `device/${bdf}/msix/0`,
      offset,
      value,
    });
    const counts = (work: readonly object[]): number => {
      const sim = run({
        platform: { cpus: 1 },
        devices: [{ bdf: '0000:6a:01.0', name: 'nic', vectors: 2, driver: 'none' }],
        vms: [{ id: 0, vcpus: 1 }],
        vfio: [{ name: '0000:6a:01.0', vectors: 2, vm: 0, guest: bdf }],
        workload: work,
      });
      const late = events(sim).filter((e) => Number(e.time) >= 2e-3);
      const all = late.filter((e) => e.kind === 'kvm.exit' && e.fields['reason'] === 'EPT_MISCONFIG').length;
      assert.equal(late.filter((e) => e.kind === 'kvm.userspace').length, all);
      return all;
    };
    assert.equal(counts([to(2000, 12, '0x1')]), 1);
    assert.equal(counts([to(2000, 12, '0x1'), to(2500, 0, '0xfee00000'), to(2520, 4, '0x0'), to(2540, 8, '0x21')]), 4);
    assert.equal(counts([to(2000, 12, '0x1'), to(2500, 12, '0x0')]), 2);
  });

  for (const [store, kind, stores] of [
    ['msixTable', 'tbl.write', ['0x0', '0x4', '0x8']],
    ['deviceMemory', 'ims.store', ['0x0', '0x8']],
    ['config', 'cfg.write', ['0x54', '0x58', '0x5c']],
  ] as const)
    it(`a hypervisor that traps stores (${store}): an exit and an entry around each, and around each mask`, () => {
      const { document } = bundledScenarios.find((s) => s.id === 'chain-trapped')!;
      const all = events(run(document as object, { settings: { 'guest.store': store } }));
      const guest = all.filter((e) => e.object.startsWith('device/0000:00:05.0') && e.kind === kind);
      const offset = (e: (typeof all)[number]): string => String(e.fields['offset']);
      const messages = guest.filter((e) => (stores as readonly string[]).includes(offset(e)));
      assert.ok(messages.length >= 2 * stores.length);
      // Between two accesses of the guest's storage there is always an exit.
      for (const [i, one] of guest.entries()) {
        const before = guest[i - 1]?.step ?? -1;
        const exited = all.filter((e) => e.kind === 'kvm.exit' && e.step > before && e.step < one.step);
        assert.ok(exited.length >= 1, `step ${one.step}`);
      }
    });
});
