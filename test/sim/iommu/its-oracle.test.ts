// The simulated ITS is driven with the commands and doorbell writes of a real machine (capture arm64-a) and must come out
// where that machine did: the tables in its memory, and the INTID and processor of each doorbell write.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import { Its } from '../../../src/sim/arm/its.ts';
import type { ItsCommand } from '../../../src/sim/arm/its-command.ts';
import { itsUnits } from '../../../src/sim/arm/units/its-units.ts';
import type { Simulation } from '../../../src/sim/simulation.ts';
import { fixtureLines } from '../../helpers/fixtures.ts';
import { itsMemory } from '../../helpers/its-memory.ts';
import { events, start } from '../run.ts';

const lines = fixtureLines('arm64-a/qemu.log');
/** The first DISCARD of the shutdown: the memory was dumped before it. */
const END = lines.findIndex((l) => /1795149274\.\d+:gicv3_its_cmd_discard/.test(l.text));

const args = (text: string): Record<string, number> =>
  Object.fromEntries([...text.matchAll(/(\w+) (0x[0-9a-f]+|\d+)(?= |$)/g)].map((m) => [m[1]!, Number(m[2])]));

/** The command that a line of the log prints; INVALL prints no collection: it follows the MAPC of its own. */
function orderOf(text: string, collection: number): ItsCommand | undefined {
  const op = /GICv3 ITS: command (\w+)/.exec(text)?.[1];
  const a = args(text);
  const of = { device: a['DeviceID']!, event: a['EventID']! };
  switch (op) {
    case 'MAPD':
      return { op, device: of.device, size: a['Size']!, itt: a['ITT_addr']! * 256, valid: a['V'] === 1 };
    case 'MAPC':
      return { op, collection: a['ICID']!, target: a['RDbase']!, valid: a['V'] === 1 };
    case 'MAPTI':
      return { op, ...of, lpi: a['pINTID']!, collection: a['ICID']! };
    case 'MOVI':
      return { op, ...of, collection: a['ICID']! };
    case 'DISCARD':
    case 'INV':
      return { op, ...of };
    case 'INVALL':
      return { op, collection };
    case 'SYNC':
      return { op, target: a['RDbase']! };
    default:
      assert.equal(op, undefined, text);
      return undefined;
  }
}

interface Doorbell {
  readonly line: string;
  /** INTID and processor as the real ITS read them from its tables; undefined: it refused the write. */
  readonly real: string | undefined;
  readonly simulated: string | undefined;
}

function drive(): { simulation: Simulation; doorbells: Doorbell[]; refused: string[]; commands: number } {
  const simulation = start({ platform: { arch: 'arm64', cpus: 2, remap: 'its' } });
  const { gic } = simulation.setup.use(itsUnits);
  const its = new Its(simulation.machine, gic, 1, 2);
  const doorbells: Doorbell[] = [];
  const refused: string[] = [];
  let commands = 0;
  let collection = 0;
  for (const [i, { text }] of lines.slice(0, END).entries()) {
    const order = orderOf(text, collection);
    if (order) {
      if (order.op === 'MAPC') collection = order.collection;
      commands++;
      if (!its.command(order)) refused.push(text);
      continue;
    }
    const write = /TRANSLATER write: .* data (0x[0-9a-f]+) size \d requester_id (0x[0-9a-f]+)/.exec(text);
    if (!write) continue;
    const from = simulation.trace.length;
    const message = { address: 0, data: Number(write[1]), requester: Number(write[2]), cause: 0, from: its.object };
    its.translate(message);
    const pend = events(simulation, from).find((e) => e.kind === 'gic.pend' && e.fields['pending'] === true);
    const after = lines.slice(i + 1, i + 8).map((l) => l.text);
    const ite = after.find((t) => t.includes('its_ite_read') && t.includes(`EventID ${write[1]}: valid 1`));
    const cte = after.find((t) => t.includes('its_cte_read') && t.includes(': valid 1'));
    doorbells.push({
      line: text,
      real: ite && cte ? `cpu/${args(cte)['RDBase']}/intid/${args(ite)['intid']}` : undefined,
      simulated: pend?.object,
    });
  }
  return { simulation, doorbells, refused, commands };
}

describe('ITS against a real machine', () => {
  const { simulation, doorbells, refused, commands } = drive();

  it('accepts every command that the real kernel gave', () => {
    assert.ok(commands > 400, String(commands));
    assert.deepEqual(refused, []);
    assert.equal(events(simulation).filter((e) => e.kind === 'illegal').length, 0);
  });

  it('has the tables in the end that the memory of the machine holds', () => {
    const memory = itsMemory('arm64-a');
    assert.deepEqual([...memory.devices.keys()], [0x10, 0x20, 0x28]);
    assert.equal(memory.events.size, 9);
    const unit = pathValue(simulation.machine.state, 'its/1') as unknown as {
      device: Record<string, { valid: boolean; size: number; itt: string; event?: Record<string, EventTree> }>;
      collection: Record<string, { valid: boolean; target: number }>;
    };
    const devices = Object.entries(unit.device).filter(([, d]) => d.valid);
    assert.deepEqual(
      devices.map(([id, d]) => [Number(id), { size: d.size, itt: Number(d.itt) }]).sort(byKey),
      [...memory.devices].sort(byKey),
    );
    const mapped = Object.entries(unit.device).flatMap(([id, d]) =>
      Object.entries(d.event ?? {})
        .filter(([, e]) => e.valid)
        .map(([event, e]) => [`${Number(id)}/${event}`, { lpi: e.lpi, collection: e.collection }]),
    );
    assert.deepEqual(mapped.sort(byKey), [...memory.events].sort(byKey));
    const collections = Object.entries(unit.collection).filter(([, c]) => c.valid);
    assert.deepEqual(
      collections.map(([icid, c]) => [Number(icid), c.target]).sort(byKey),
      [...memory.collections].sort(byKey),
    );
  });

  it('sends each doorbell write to the INTID and processor that the real ITS did, and refuses what it refused', () => {
    assert.ok(doorbells.length > 500, String(doorbells.length));
    assert.ok(doorbells.some((d) => d.real === undefined));
    assert.ok(new Set(doorbells.map((d) => d.real)).size > 8);
    for (const { line, real, simulated } of doorbells) assert.equal(simulated, real, line);
  });
});

interface EventTree {
  readonly valid: boolean;
  readonly lpi: number;
  readonly collection: number;
}

const byKey = (a: readonly unknown[], b: readonly unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1);
