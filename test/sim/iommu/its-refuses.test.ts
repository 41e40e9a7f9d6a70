// Whatever the ITS is told, legal or not, ends in events: commands of all kinds with any arguments, beside messages and CPUs that come and go.
import assert from 'node:assert/strict';
import { Random } from '../../../src/base/random.ts';
import { operations } from '../../../src/sim/catalogue.ts';
import type { OperationArg } from '../../../src/sim/operation.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { events, start } from '../run.ts';

const NIC = '0000:00:04.0';
const document = {
  platform: { arch: 'arm64', cpus: 2, remap: 'its' },
  devices: [{ bdf: NIC, name: 'nic', vectors: 2 }],
  vms: [{ id: 0, vcpus: 2 }],
};

/** Objects of operations beside those on the ITS. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'device.raise': [`device/${NIC}/msix/0`, `device/${NIC}/msix/1`],
  'irq.forward': ['irq/24', 'irq/25'],
  'irq.unforward': ['irq/24', 'irq/25'],
  'irq.affinity': ['irq/24'],
  'irq.mask': ['irq/24'],
  'irq.unmask': ['irq/24'],
  'vpe.load': ['vcpu/0', 'vcpu/1'],
  'vpe.put': ['vcpu/0', 'vcpu/1'],
  'cpu.offline': ['cpu/1'],
  'cpu.online': ['cpu/1'],
  'lpi.configure': ['gic/0/lpi/8192', 'gic/0/lpi/8200'],
};

/** Values at which something changes, as far as an argument takes them. */
const EDGES = [0, 1, 2, 3, 32, 64, 1023, 1024, 8191, 8192, 8193, 8200, 65535, 65536, 0xffffffff];

function pick(random: Random, { type, min = 0, max = 0xffffffff }: OperationArg): number | boolean {
  if (type === 'flag') return random.integer(0, 1) === 1;
  const fits = EDGES.filter((edge) => edge >= min && edge <= max);
  return fits[random.integer(0, fits.length - 1)] ?? min;
}

function play(seed: number, gicv4: string): Simulation {
  const random = new Random(seed);
  const simulation = start(document, { seed, settings: { gicv4 } });
  const names = [...operations.keys()].filter((name) => name.startsWith('its.')).concat(Object.keys(OTHERS));
  for (let i = 0; i < 150; i++) {
    const name = names[random.integer(0, names.length - 1)]!;
    const objects = OTHERS[name] ?? ['its/0'];
    const object = objects[random.integer(0, objects.length - 1)]!;
    const { args } = operations.get(name)!;
    const near = random.integer(0, 1) === 0;
    const given = Object.fromEntries(
      args.map((arg) => {
        if (arg.name === 'cpus') return [arg.name, [random.integer(0, 1)]];
        // Half of the commands are about what there is.
        if (near && arg.name === 'device') return [arg.name, 0x20];
        if (near && ['event', 'vpe', 'collection', 'target', 'cpu', 'vcpu'].includes(arg.name))
          return [arg.name, random.integer(0, 1)];
        return [arg.name, pick(random, arg)];
      }),
    );
    simulation.perform({ op: name, object, ...given } as never);
    const end = simulation.machine.now + 3000;
    simulation.run(() => simulation.machine.now > end);
  }
  simulation.run();
  return simulation;
}

describe('an ITS that is told anything', () => {
  for (const gicv4 of ['none', 'v4.0', 'v4.1'])
    it(`goes on, tells what it refuses, and every cause has one fate (gicv4 ${gicv4})`, () => {
      let refused = 0;
      for (let seed = 1; seed <= 25; seed++) {
        const simulation = play(seed, gicv4);
        const all = events(simulation);
        refused += all.filter((e) => e.kind === 'its.error').length;
        const { ledger } = simulation.machine;
        assert.deepEqual(ledger.twice, [], `seed ${seed}`);
        const { inFlight } = ledger.tally();
        assert.equal(inFlight, 0, `seed ${seed}: a cause is on its way for ever`);
      }
      assert.ok(refused > 100, String(refused));
    });
});
