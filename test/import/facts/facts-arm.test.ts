// Facts of the Arm captures, set A: 3, 5, 6, 7, 8, 10, 11, 12, 27 (QEMU log, ITS tables in guest memory, ftrace text), and the
// GICv2m capture. Expected values come from the same bytes, or from the raw memory of the guest, decoded here.
import assert from 'node:assert/strict';
import { viewEvent } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { fixtureLines, fixtureTrace, grep, type SourceLine } from '../../helpers/fixtures.ts';
import { itsMemory } from '../../helpers/its-memory.ts';
import { accessOf, hexOf, TableFold } from './fold.ts';

const LOG = 'arm64-a/qemu.log';
const trace = fixtureTrace(LOG);
const lines = fixtureLines(LOG);
const stepAt = (line: SourceLine): number => trace.lastAtLine(line.line);
const at = (line: SourceLine, path: string): unknown => pathValue(trace.stateAt(stepAt(line)), path);

interface EventTree {
  readonly valid: boolean | null;
  readonly lpi: number | null;
  readonly collection: number | null;
  readonly translations: number;
}

/** The arguments of a command line: `DeviceID 0x20` becomes {DeviceID: 32}. */
const args = (text: string): Record<string, number> =>
  Object.fromEntries([...text.matchAll(/(\w+) (0x[0-9a-f]+|\d+)(?= |$)/g)].map((m) => [m[1]!, Number(m[2])]));

/** What the commands up to a line have mapped, as a fold of its own: `device/event` to LPI and collection. */
class ItsFold {
  readonly mapped = new Map<string, { lpi: number; collection: number }>();
  readonly devices = new Map<number, { size: number; itt: number }>();

  take(text: string): void {
    const op = /GICv3 ITS: command (\w+)/.exec(text)?.[1];
    if (op === undefined) return;
    const a = args(text);
    const key = `${a['DeviceID']}/${a['EventID']}`;
    if (op === 'MAPD') {
      if (a['V'] === 1) this.devices.set(a['DeviceID']!, { size: a['Size']!, itt: a['ITT_addr']! * 256 });
      else this.devices.delete(a['DeviceID']!);
      for (const k of [...this.mapped.keys()]) if (k.startsWith(`${a['DeviceID']}/`)) this.mapped.delete(k);
    } else if (op === 'MAPTI') this.mapped.set(key, { lpi: a['pINTID']!, collection: a['ICID']! });
    else if (op === 'MOVI') this.mapped.get(key)!.collection = a['ICID']!;
    else if (op === 'DISCARD') this.mapped.delete(key);
  }
}

/** All mapped EventIDs of a state in the shape of the fold. */
function mappedIn(step: number): Map<string, { lpi: number | null; collection: number | null }> {
  const devices = (pathValue(trace.stateAt(step), 'its/0/device') ?? {}) as Record<string, { event?: object }>;
  const out = new Map<string, { lpi: number | null; collection: number | null }>();
  for (const [id, device] of Object.entries(devices)) {
    for (const [event, tree] of Object.entries((device.event ?? {}) as Record<string, EventTree>)) {
      if (tree.valid) out.set(`${Number(id)}/${event}`, { lpi: tree.lpi, collection: tree.collection });
    }
  }
  return out;
}

const sorted = (map: ReadonlyMap<string, unknown>): unknown[] => [...map].sort((a, b) => (a[0] < b[0] ? -1 : 1));

describe('Arm capture, ITS', () => {
  it('3: the first device is 00:04.0 = DeviceID 0x20: MAPD, then EventIDs 0 to 2 on LPIs 0x2000 to 0x2002', () => {
    const [mapd, ...mapti] = grep(LOG, /its_cmd_(mapd|mapti)/).slice(0, 4) as [SourceLine, ...SourceLine[]];
    const device = at(mapd, 'its/0/device/0x20') as Record<string, unknown>;
    const a = args(mapd.text);
    assert.deepEqual([a['DeviceID'], device['valid'], device['size']], [0x20, true, a['Size']]);
    // The line prints the address without its lowest 8 bits; the next read of the device table prints it whole (fact 4).
    const read = lines.find((l) => l.line > mapd.line && l.text.includes('its_dte_read'))!;
    assert.equal(device['itt'], /ITTaddr (0x[0-9a-f]+)/.exec(read.text)![1]);
    for (const [i, line] of mapti.entries()) {
      const m = args(line.text);
      const event = at(line, `its/0/device/0x20/event/${i}`) as EventTree;
      assert.deepEqual([event.valid, event.lpi, event.collection], [true, m['pINTID'], m['ICID']], line.text);
      assert.equal(event.lpi, 0x2000 + i);
    }
    assert.equal((at(mapti[2]!, 'its/0/device/0x20/event/2') as EventTree).collection, 1);
  });

  it('5: LPI blocks are handed out in powers of two; 0x2003 and 0x2007 are never mapped', () => {
    const printed = new Map<string, number>();
    for (const l of grep(LOG, /cmd_mapti/)) {
      const a = args(l.text);
      const key = `0x${a['DeviceID']!.toString(16)} ${a['EventID']} 0x${a['pINTID']!.toString(16)}`;
      printed.set(key, (printed.get(key) ?? 0) + 1);
    }
    const seen = new Map<string, number>();
    for (let step = 0; step < trace.length; step++) {
      const event = trace.table.kind(step).name === 'its.mapti' ? viewEvent(trace, step) : undefined;
      if (!event) continue;
      const m = /device\/(0x[0-9a-f]+)\/event\/(\d+)/.exec(event.object)!;
      const key = `${m[1]} ${m[2]} 0x${(event.fields['lpi'] as number).toString(16)}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    assert.deepEqual(sorted(seen), sorted(printed));
    assert.equal(seen.get('0x18 0 0x2010'), 12);
    assert.ok([...seen.keys()].every((k) => !/0x200[37]$/.test(k)));
  });

  it('6: the first MSI from the doorbell to the CPU, 87 µs', () => {
    const first = grep(LOG, /gicv3_its_translation_write/)[0]!;
    const chain = lines.slice(first.line - 3, first.line + 4);
    const events = chain.map((l) => viewEvent(trace, stepAt(l)));
    assert.deepEqual(
      events.map((e) => e.kind),
      ['smmu.trans', 'send', 'its.trans', 'its.dte', 'its.ite', 'its.cte', 'gic.ack'],
    );
    const [smmu, send, doorbell, , , , ack] = events;
    const printed = /sid=(0x[0-9a-f]+) iova=(0x[0-9a-f]+) translated=(0x[0-9a-f]+)/.exec(chain[0]!.text)!;
    assert.deepEqual(smmu!.fields, { iova: printed[2], output: printed[3], perm: '0x3' });
    assert.equal(smmu!.object, `smmu/0/stream/${printed[1]}`);
    // Requester 0x20 = 00:04.0; its entry 2 holds the address before translation and the EventID.
    assert.equal(send!.object, 'device/0000:00:04.0/msix/2');
    assert.deepEqual(send!.fields, { address: printed[3], data: '0x2', size: 4, requester: printed[1] });
    assert.equal(doorbell!.object, 'its/0/device/0x20/event/2');
    const ite = at(chain[4]!, 'its/0/device/0x20/event/2') as EventTree;
    const cte = at(chain[5]!, 'its/0/collection/1') as Record<string, unknown>;
    assert.deepEqual([ite.lpi, ite.collection, cte['target']], [0x2002, 1, 1]);
    assert.equal(ack!.object, `vcpu/${cte['target']}/intid/${ite.lpi}`);
    assert.equal(ack!.cpu, 1);
    const stamp = (l: SourceLine): number => Number(/\d+\.(\d{6}):/.exec(l.text)![1]);
    assert.equal(stamp(chain[6]!) - stamp(chain[2]!), 87);
    assert.equal(Math.round((trace.table.time(stepAt(chain[6]!)) - trace.table.time(stepAt(chain[2]!))) / 1000), 87);
  });

  it('7, 8: doorbell writes by requester and EventID, and each tied to the entry that holds its message', () => {
    const printed = new Map<string, number>();
    for (const l of grep(LOG, /gicv3_its_translation_write/)) {
      const m = /data (0x[0-9a-f]+) size \d requester_id (0x[0-9a-f]+)/.exec(l.text)!;
      const key = `its/0/device/${m[2]}/event/${Number(m[1])}`;
      printed.set(key, (printed.get(key) ?? 0) + 1);
    }
    assert.equal(printed.get('its/0/device/0x20/event/2'), 554);
    assert.equal(printed.get(`its/0/device/0x18/event/${0x3fff}`), 1);
    for (const [path, count] of printed) {
      assert.equal((pathValue(trace.head, path) as unknown as EventTree).translations, count, path);
    }
    let sends = 0;
    let tied = 0;
    for (let step = 0; step < trace.length; step++) {
      if (trace.table.kind(step).name !== 'send') continue;
      sends++;
      const event = viewEvent(trace, step);
      const sid = Number(event.fields['requester']);
      const bdf = `0000:00:${(sid >>> 3).toString(16).padStart(2, '0')}.${sid & 7}`;
      if (event.object.startsWith(`device/${bdf}/`)) tied++;
    }
    assert.equal(sends, grep(LOG, /name 'translation'/).length);
    assert.equal(tied, sends);
  });

  it('10: smp_affinity writes 1, 0, 1 of irq 22 become MOVIs of DeviceID 0x20, EventID 0', () => {
    const movis = grep(LOG, /cmd_movi .*DeviceID 0x20 EventID 0x0 /).slice(0, 3);
    const targets = movis.map((l) => (at(l, 'its/0/device/0x20/event/0') as EventTree).collection);
    assert.deepEqual(
      targets,
      movis.map((l) => args(l.text)['ICID']),
    );
    assert.deepEqual(targets, [1, 0, 1]);
    // The guest's side of the same: its_set_affinity of irq 22, LPI 8192, is where the LPI becomes known.
    const guest = fixtureTrace('arm64-a/ftrace-03-affinity.txt');
    assert.equal(pathValue(guest.head, 'irq/22/lpi'), 8192);
  });

  it('11: CPU 1 goes offline: EventIDs of ICID 1 move to 0, the managed queues are discarded, not moved', () => {
    const discards = grep(LOG, /cmd_discard .*DeviceID 0x[12]0 EventID 0x2$/).slice(0, 2);
    for (const l of discards) {
      const id = `0x${args(l.text)['DeviceID']!.toString(16)}`;
      const was = pathValue(trace.stateAt(stepAt(l) - 1), `its/0/device/${id}/event/2`) as unknown as EventTree;
      assert.deepEqual([was.valid, was.collection], [true, 1]);
      const is = at(l, `its/0/device/${id}/event/2`) as EventTree;
      assert.deepEqual([is.valid, is.lpi, is.collection], [false, null, null]);
    }
    const back = grep(LOG, /cmd_mapc ICID 0x1 |cmd_mapc .*ICID 0x1 /)[1]!;
    for (const [key, entry] of mappedIn(stepAt(back) - 1)) assert.equal(entry.collection, 0, key);
    assert.deepEqual(
      [at(back, 'its/0/collection/1/valid'), at(back, 'its/0/collection/1/target')],
      [true, args(back.text)['RDbase']],
    );
    const guest = fixtureTrace('arm64-a/ftrace-04-hotplug.txt');
    for (const l of grep('arm64-a/ftrace-04-hotplug.txt', / set_affinity: .* irq=\d+ lpi=\d+/)) {
      const m = / irq=(\d+) lpi=(\d+)/.exec(l.text)!;
      const state = guest.stateAt(guest.lastAtLine(l.line));
      assert.equal(pathValue(state, `irq/${m[1]}/lpi`), Number(m[2]), l.text);
    }
  });

  it('12: unbind of nvme: DISCARD of EventIDs 2, 1, 0, MAPD V 0; the rebind gets another table', () => {
    const story = grep(LOG, /cmd_(discard|mapd|mapti).*DeviceID 0x10 /);
    const off = story.findIndex((l) => l.text.endsWith('V 0') && l.text.includes('0x473502'));
    assert.deepEqual(
      story.slice(off - 3, off).map((l) => args(l.text)['EventID']),
      [2, 1, 0],
    );
    assert.equal(at(story[off]!, 'its/0/device/0x10/valid'), false);
    assert.ok([...mappedIn(stepAt(story[off]!)).keys()].every((k) => !k.startsWith('16/')));
    const next = story[off + 1]!;
    assert.equal(at(next, 'its/0/device/0x10/itt'), `0x${(args(next.text)['ITT_addr']! * 256).toString(16)}`);
    assert.equal(at(next, 'its/0/device/0x10/itt'), '0x489eea00');
  });

  it('after every command the mapped EventIDs are what a fold over the commands gives', () => {
    const fold = new ItsFold();
    const commands = grep(LOG, /gicv3_its_cmd_(mapd|mapti|movi|discard) /);
    assert.ok(commands.length > 100);
    for (const [i, line] of commands.entries()) {
      fold.take(line.text);
      if (i % 5 > 0 && i < commands.length - 20) continue;
      assert.deepEqual(sorted(mappedIn(stepAt(line))), sorted(fold.mapped), line.text);
      for (const [id, { size, itt }] of fold.devices) {
        const device = at(line, `its/0/device/0x${id.toString(16)}`) as Record<string, unknown>;
        assert.deepEqual([device['valid'], device['size'], device['itt']], [true, size, `0x${itt.toString(16)}`]);
      }
    }
  });

  it('27: just before power off the tables are what guest memory holds', () => {
    const off = lines.find((l) => /1795149274\.\d+:gicv3_its_cmd_discard/.test(l.text))!;
    const step = stepAt(off) - 1;
    const memory = itsMemory('arm64-a');
    const state = trace.stateAt(step);
    const devices = pathValue(state, 'its/0/device') as unknown as Record<string, Record<string, unknown>>;
    assert.deepEqual([...memory.devices.keys()], [0x10, 0x20, 0x28]);
    for (const [id, { size, itt }] of memory.devices) {
      const device = devices[`0x${id.toString(16)}`]!;
      assert.equal(device['size'], size, `size of 0x${id.toString(16)}`);
      assert.equal(device['itt'], `0x${itt.toString(16)}`);
    }
    assert.deepEqual(
      Object.keys(devices)
        .filter((id) => devices[id]!['valid'] === true)
        .map(Number),
      [...memory.devices.keys()],
    );
    assert.equal(memory.events.size, 9);
    assert.deepEqual(sorted(mappedIn(step)), sorted(memory.events));
    for (const icid of [0, 1]) {
      const tree = pathValue(state, `its/0/collection/${icid}`) as Record<string, unknown>;
      assert.deepEqual([tree['valid'], tree['target']], [memory.collections.has(icid), memory.collections.get(icid)]);
    }
  });

  it('MSI-X tables at the end are what a fold over the accesses gives', () => {
    // `lspci -vvv` of the same guest.
    const fold = new TableFold([
      ['00:02.0', 0, 0x2000],
      ['00:03.0', 3, 0],
      ['00:04.0', 1, 0],
      ['00:05.0', 1, 0],
    ]);
    for (const line of lines) fold.take(line);
    assert.equal(fold.strays, 0);
    for (const [path, entry] of fold.entries) {
      const tree = pathValue(trace.head, path) as Record<string, { value: string | null }>;
      assert.equal(tree['address']!.value, hexOf(entry.bytes.slice(0, 8)), path);
      assert.equal(tree['data']!.value, hexOf(entry.bytes.slice(8, 12)), path);
      assert.equal(tree['control']!.value, hexOf(entry.bytes.slice(12, 16)), path);
    }
  });
});

describe('GICv2m capture', () => {
  it('each doorbell write raises the SPI that its data names, and comes from the entry with that data', () => {
    const name = 'arm64-gicv2m/qemu.log';
    const frame = fixtureTrace(name);
    const all = fixtureLines(name);
    let count = 0;
    for (const line of all) {
      const access = accessOf(line.text);
      if (access?.region !== 'gicv2m' || !access.write) continue;
      count++;
      const step = frame.lastAtLine(line.line);
      const event = viewEvent(frame, step);
      assert.equal(event.kind, 'send');
      assert.equal(event.time, null, 'this log has no stamps');
      const entry = pathValue(frame.stateAt(step), event.object) as Record<string, never>;
      assert.equal((entry['data'] as unknown as { value: string }).value, `0x${access.value.toString(16)}`);
      const raised = /gic_set_irq irq (\d+) level 1/.exec(all[line.line]!.text)!;
      assert.equal((entry['message'] as unknown as { index: number }).index, Number(raised[1]));
      assert.equal(Number(access.value), Number(raised[1]));
    }
    assert.equal(count, 108);
  });
});
