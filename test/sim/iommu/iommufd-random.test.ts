// Random operations on an Arm host, legal or not: nothing throws, everything ends, every cause has one outcome.
import assert from 'node:assert/strict';
import { Random } from '../../../src/base/random.ts';
import { iommufdOperations } from '../../../src/sim/arm/iommufd-operations.ts';
import { itsOperations } from '../../../src/sim/arm/its-operations.ts';
import { armPolicies } from '../../../src/sim/arm/policies.ts';
import { functionOperations } from '../../../src/sim/device/function-operations.ts';
import { irqOperations } from '../../../src/sim/irq/irq-operations.ts';
import { fitsObject, type Operation, type OperationArg } from '../../../src/sim/operation.ts';
import { start } from '../run.ts';

const NIC = 'device/0000:00:05.0';
const OBJECTS = [
  ...['its/0', 'iommufd/1/ioas/1', 'smmu/0/stream/0x28', 'gic/0/lpi/8192', 'gic/0/lpi/8193'],
  ...[NIC, `${NIC}/msix/0`, `${NIC}/msix/1`, `${NIC}/msixcap`, 'device/0000:00:04.0/msix/0'],
  ...['irq/24', 'irq/25', 'irq/27', 'irq/28', 'cpu/0', 'cpu/1', 'cpu/2'],
];
const NUMBERS = [
  ...[0, 1, 2, 3, 0x20, 0x28, 0x1000, 0x2000, 8192, 8193, 8194],
  ...[0x8000000, 0x80910000, 0x20210000, 0xeeee0000],
];
const SPECS = [...itsOperations, ...iommufdOperations, ...irqOperations, ...functionOperations];

function argument(spec: OperationArg, random: Random, pick: <T>(from: readonly T[]) => T): unknown {
  switch (spec.type) {
    case 'flag':
      return random.fraction() < 0.7;
    case 'choice':
      return pick(spec.choices!);
    case 'numbers':
      return [pick([0, 1, 2])];
    case 'text':
      return 'test';
    default:
      return pick(NUMBERS.filter((n) => n >= (spec.min ?? 0) && n <= (spec.max ?? Number.MAX_SAFE_INTEGER)));
  }
}

describe('Arm host under random operations', () => {
  for (let seed = 1; seed <= 20; seed++)
    it(`seed ${seed}: every cause is delivered, merged, pending, or an event says why not`, () => {
      const random = new Random(seed);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random.fraction() * from.length)]!;
      const settings = Object.fromEntries(
        Object.values(armPolicies).map((p) => [p.name, pick<{ readonly value: string }>(p.values).value]),
      );
      const document = {
        platform: { arch: 'arm64', cpus: 3, remap: 'its' },
        devices: [
          { bdf: '0000:00:04.0', name: 'disk', vectors: 3, managed: true },
          { bdf: '0000:00:05.0', name: 'nic', vectors: 4, driver: 'none' },
        ],
        iommufd: { devices: ['0000:00:05.0'] },
        jitter: 0.5,
      };
      const simulation = start(document, { seed, settings });
      let done = 0;
      for (let i = 0; i < 200; i++) {
        for (let n = Math.floor(random.fraction() * 6); n > 0; n--) simulation.step();
        const spec = pick(SPECS);
        const objects = OBJECTS.filter((object) => fitsObject(spec, object));
        if (objects.length === 0) continue;
        const args = Object.fromEntries(spec.args.map((arg) => [arg.name, argument(arg, random, pick)]));
        if (simulation.perform({ op: spec.name, object: pick(objects), ...args } as Operation) === undefined) done++;
      }
      simulation.run(undefined, 50_000);
      assert.ok(done > 100, `${done} operations were done`);
      assert.ok(simulation.finished);
      const { ledger } = simulation.machine;
      const tally = ledger.tally();
      assert.deepEqual([ledger.twice, tally.inFlight], [[], 0]);
      const sum = Object.values(tally).reduce((a, b) => a + b, 0);
      assert.equal(sum, ledger.causes);
    });
});
