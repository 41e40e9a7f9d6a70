// What scripts rely on, each expected value found in the bytes of the example capture.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventView } from '../../src/query/events.ts';
import type { HistoryEntry } from '../../src/query/history.ts';
import type { TraceInfo } from '../../src/query/info.ts';
import type { InterruptRow } from '../../src/query/interrupts/row.ts';
import { answered, example, irqscope, jsonLines, root } from './run.ts';

const text = readFileSync(join(root, example), 'latin1');
const lines = text.split('\n').slice(0, -1);
const NVME = 'device/0000:00:03.0';

/** The first line (from 1) from `from` on that matches, as `grep -n -m1` finds it. */
function grep(pattern: RegExp, from = 1): number {
  const index = lines.findIndex((line, i) => i + 1 >= from && pattern.test(line));
  assert.ok(index >= 0, String(pattern));
  return index + 1;
}

/** All lines (from 1) that match. */
const grepAll = (pattern: RegExp): number[] => lines.flatMap((line, i) => (pattern.test(line) ? [i + 1] : []));

const stampOf = (line: number): string => /@(\d+\.\d+):/.exec(lines[line - 1]!)![1]!;
const offsetOf = (line: number): number => lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);

/** FACTS A4: entry 0 is unmasked for the first time. */
const unmask = grep(/write .*addr 0xfe7c200c value 0x0 .*msix-table/);
/** FACTS A5: its first message is remapped. */
const request = grep(/vtd_ir_remap_msi_req addr 0xfee00298/);

async function answerOf(args: readonly string[]): Promise<string> {
  const { status, out, line } = await answered([...args, '--json']);
  assert.equal(line, undefined);
  assert.equal(status, 0);
  return out;
}

const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await answerOf(args)) as T;

async function ndjson<T>(...args: string[]): Promise<T[]> {
  const out = await answerOf(args);
  assert.ok(out === '' || out.endsWith('\n'));
  return jsonLines<T>(out);
}

describe('irqscope as a program', () => {
  it('prints the same as its parts, and nothing else', async () => {
    for (const args of [
      ['info', example],
      ['events', example, '--from', '4672', '--to', '4690'],
      ['state', example, '--at', `line:${unmask}`],
      ['history', example, `${NVME}/msix/0/control`],
    ]) {
      const program = await irqscope([...args, '--json']);
      assert.deepEqual(program, { status: 0, out: await answerOf(args), err: '' });
    }
  });
});

describe('irqscope info --json', () => {
  it('accounts for every line', async () => {
    const info = await json<TraceInfo>('info', example);
    assert.equal(info.file, example);
    assert.equal(info.format, 'qemu-log');
    assert.equal(info.clock, 'realtime');
    assert.equal(info.lines, lines.length);
    assert.equal(info.records, grepAll(/^\d+@\d+\.\d{6}:/).length);
    assert.equal(info.understood, info.records);
    assert.deepEqual(info.unknown, {});
    assert.deepEqual(info.skipped, {});
    assert.equal(info.lost, 0);
    assert.equal(info.cpus, 4);
    assert.ok(text.includes(`@${info.start}:`));
    assert.equal(
      info.end,
      stampOf(grepAll(/@/).findLast((line) => text.includes(`@${info.end}:`) && stampOf(line) === info.end)!),
    );
    assert.equal(info.withoutEffect['virtio_set_status'], grepAll(/:virtio_set_status /).length);
  });

  it('is an array for several files', async () => {
    const infos = await json<TraceInfo[]>('info', example, example);
    assert.equal(infos.length, 2);
    assert.deepEqual(infos[0], infos[1]);
  });
});

describe('irqscope interrupts --json', () => {
  it('prints one row for each interrupt with the keys of the contract, ids as paths', async () => {
    // FACTS A5: entry 0 is remapped by IRTE 20 to vector 33 of APIC id 0, and delivered.
    const deliver = grep(/apic_deliver_irq dest 0 .* vector 33/, request);
    const rows = await json<InterruptRow[]>('interrupts', example, '--at', `line:${deliver}`);
    const row = rows.find(({ entry }) => entry === `${NVME}/msix/0`)!;
    const raises = grepAll(/pci_nvme_irq_msix raising MSI-X IRQ vector 0$/).filter((line) => line <= deliver).length;
    const sends = grepAll(/_write .*addr 0xfee00298 .*'vtd-ir'/).filter((line) => line <= deliver).length;
    assert.deepEqual(row, {
      entry: `${NVME}/msix/0`,
      guestEntry: null,
      irq: null,
      domain: null,
      irte: 'irte/0/20',
      cpu: null,
      vector: 'vcpu/0/vector/33',
      vfio: null,
      gsi: null,
      vcpu: 'vcpu/0',
      guestIrq: null,
      action: null,
      raises,
      sends,
      handled: null,
      last: { step: row.last!.step, time: stampOf(deliver) },
      status: 'idle',
      findings: [],
    });
  });

  it('without --at answers for the end', async () => {
    const [end, last] = await Promise.all([
      json<InterruptRow[]>('interrupts', example),
      json<InterruptRow[]>('interrupts', example, '--at', 'end'),
    ]);
    assert.deepEqual(end, last);
    assert.equal(new Set(end.map(({ entry }) => entry)).size, end.length);
  });
});

describe('irqscope events --json', () => {
  it('prints each event with its source', async () => {
    const [event, ...rest] = await ndjson<EventView>(
      'events',
      example,
      '--from',
      `line:${unmask}`,
      '--to',
      `line:${unmask}`,
    );
    assert.deepEqual(rest, []);
    assert.ok(Number.isInteger(event!.step));
    assert.deepEqual(event, {
      step: event!.step,
      time: stampOf(unmask),
      cpu: 3,
      kind: 'tbl.write',
      object: `${NVME}/msix/0`,
      fields: { offset: '0xc', size: 4, value: '0x0' },
      task: lines[unmask - 1]!.split('@')[0],
      source: { file: example, line: unmask, offset: offsetOf(unmask) },
    });
  });

  it('numbers steps from 0 without gaps, in the order of the lines', async () => {
    const events = await ndjson<EventView>('events', example);
    for (const [i, event] of events.entries()) assert.equal(event.step, i);
    for (const [i, event] of events.entries()) if (i > 0) assert.ok(event.source.line >= events[i - 1]!.source.line);
    for (const event of [events[0]!, events[1000]!, events.at(-1)!]) {
      assert.equal(event.time, stampOf(event.source.line));
      assert.equal(event.source.offset, offsetOf(event.source.line));
    }
    const writes = grepAll(/memory_region_ops_write .*name 'msix-table'/);
    assert.deepEqual(
      events.filter((e) => e.kind === 'tbl.write').map((e) => e.source.line),
      writes,
    );
  });

  it('shows the enabling of the disk: mask all, program entry 0, unmask the function (FACTS A3)', async () => {
    const first = grep(/msix_write_config dev nvme enabled 1 masked 1/);
    const last = grep(/msix_write_config dev nvme enabled 1 masked 0/, first);
    const filter = `object == ${NVME}/msix/* && kind == tbl.write`;
    const events = await ndjson<EventView>(
      'events',
      example,
      '--from',
      `line:${first}`,
      '--to',
      `line:${last}`,
      '--filter',
      filter,
    );
    const table = 0xfe7c2000;
    const expected = lines.slice(first - 1, last).flatMap((line) => {
      const match = /memory_region_ops_write .*addr (0x\w+) value (0x\w+) .*msix-table/.exec(line);
      if (!match) return [];
      const at = Number(match[1]) - table;
      return [[`${NVME}/msix/${at >> 4}`, `0x${(at & 15).toString(16)}`, match[2]]];
    });
    assert.equal(expected.length, 9);
    assert.deepEqual(
      events.map((e) => [e.object, e.fields['offset'], e.fields['value']]),
      expected,
    );
  });

  it('takes a stretch of time', async () => {
    const [from, to] = [stampOf(unmask), stampOf(request)];
    const events = await ndjson<EventView>('events', example, '--from', from, '--to', to);
    assert.equal(events[0]!.time, from);
    assert.equal(events.at(-1)!.time, to);
    assert.equal(events.at(-1)!.source.line, request);
    assert.deepEqual(
      await ndjson('events', example, '--from', `time:${from}`, '--to', `step:${events.at(-1)!.step}`),
      events,
    );
    assert.deepEqual(await ndjson('events', example, '--from', '99999999'), []);
    assert.deepEqual(await ndjson('events', example, '--to', '5.0'), []);
    for (const command of [['events'], ['path', '--funnel', 'device']]) {
      for (const [first, last] of [
        ['10', '5'],
        ['end', '0'],
        ['line:9', 'line:8'],
        ['1795148743.0', 'time:1795148650'],
      ]) {
        const { status, err } = await irqscope([...command, example, '--from', first!, '--to', last!]);
        assert.deepEqual([status, err], [2, 'irqscope: --from lies behind --to\n']);
      }
    }
  });
});

interface Register {
  value: string | null;
  fields: Record<string, unknown>;
}

interface Entry {
  address: Register;
  data: Register;
  control: Register;
  pending: boolean | null;
  effectivelyMasked: boolean | null;
  writes: number;
}

describe('irqscope state --json', () => {
  it('is the same by step, time and line, before and after the unmask (FACTS A4)', async () => {
    const [event] = await ndjson<EventView>('events', example, '--from', `line:${unmask}`, '--to', `line:${unmask}`);
    const step = event!.step;
    const entry = (...at: string[]): Promise<Entry> =>
      json<Entry>('state', example, '--at', ...at, '--object', `${NVME}/msix/0`);
    const after = await entry(String(step));
    assert.deepEqual(after.control, { value: '0x0', fields: { mask: false, stLower: 0, stUpper: 0 } });
    assert.equal(after.address.value, '0xfee00298');
    assert.equal(after.data.value, '0x0');
    assert.equal(after.effectivelyMasked, false);
    assert.equal(
      after.writes,
      grepAll(/write .*addr 0xfe7c200\w .*msix-table/).filter((line) => line <= unmask).length,
    );
    assert.deepEqual(await entry(`step:${step}`), after);
    assert.deepEqual(await entry(event!.time!), after);
    assert.deepEqual(await entry(`time:${event!.time}`), after);
    assert.deepEqual(await entry(`line:${unmask}`), after);
    // Nothing happens before the next stamp: the state of any time in between is this one.
    assert.deepEqual(await entry(`${event!.time}999`), after);
    const before = await entry(`line:${unmask - 1}`);
    assert.deepEqual(before.control, { value: '0x1', fields: { mask: true, stLower: 0, stUpper: 0 } });
    assert.equal(before.effectivelyMasked, true);
    assert.equal(before.writes, after.writes - 1);
  });

  it('is one tree, nested by the segments of the paths', async () => {
    const tree = await json<Record<string, Record<string, Record<string, unknown>>>>('state', example, '--at', 'end');
    const nvme = tree['device']!['0000:00:03.0'] as {
      name: string;
      msix: Record<string, Entry>;
      msixcap: Record<string, unknown>;
    };
    assert.equal(nvme.name, 'nvme');
    assert.equal(Object.keys(nvme.msix).length, 6);
    assert.equal(nvme.msix['5']!.address.value, null, 'entry 5 is never programmed');
    assert.deepEqual(
      ['enable', 'fmask', 'size', 'tableBar', 'tableOffset', 'pbaBar', 'pbaOffset'].map((key) => nvme.msixcap[key]),
      [true, false, 6, 0, 0x2000, 0, 0x3000],
    );
    assert.deepEqual(await json('state', example, '--at', 'end', '--object', NVME), nvme);
  });

  it('shows the IRTE that the message of entry 0 goes through (FACTS A5)', async () => {
    assert.match(lines[request]!, /vtd_ir_irte_get index 20 low 0x40018 high 0x210009/);
    const irte = await json<Record<string, unknown>>(
      'state',
      example,
      '--at',
      `line:${request + 1}`,
      '--object',
      'irte/0/20',
    );
    assert.equal(irte['value'], '0x400180000000000210009');
    assert.deepEqual(
      ['present', 'posted', 'vector', 'dest', 'sid'].map((key) => irte[key]),
      [true, false, 33, 0, 0x18],
    );
  });

  it('is null for what does not exist at that step, or is not known', async () => {
    assert.equal(await json('state', example, '--at', '0', '--object', `${NVME}/msix/0`), null);
    assert.equal(await json('state', example, '--at', '0', '--object', `${NVME}/msix/0/control.mask`), null);
    assert.equal(
      await json('state', example, '--at', 'end', '--object', `${NVME}/msix/5/address`).then(
        (r) => (r as Register).value,
      ),
      null,
    );
  });

  it('prints keys and fields alone', async () => {
    const at = `line:${unmask}`;
    assert.equal(await json('state', example, '--at', at, '--object', `${NVME}/msix/0/control.mask`), false);
    assert.equal(await json('state', example, '--at', at, '--object', 'device/00:03.0/msix/1/control.mask'), true);
    assert.equal(await json('state', example, '--at', at, '--object', `${NVME}/name`), 'nvme');
    assert.equal(await json('state', example, '--at', `line:${request + 1}`, '--object', 'irte/0/20/value.vector'), 33);
  });
});

describe('irqscope history --json', () => {
  it('lists every write of a register', async () => {
    const entries = await ndjson<HistoryEntry & { fields: { mask: boolean } }>(
      'history',
      example,
      `${NVME}/msix/0/control`,
    );
    const written = entries.filter((e) => /memory_region_ops_write/.test(lines[e.source.line - 1]!));
    const writes = grepAll(/write .*addr 0xfe7c200c .*msix-table/);
    assert.deepEqual(
      written.map((e) => e.source.line),
      writes,
    );
    for (const entry of written) {
      const value = /value (0x\w+)/.exec(lines[entry.source.line - 1]!)![1];
      assert.equal(entry.new, value);
      assert.equal(entry.fields.mask, value === '0x1');
      assert.equal(entry.time, stampOf(entry.source.line));
      assert.deepEqual(entry.source, { file: example, line: entry.source.line, offset: offsetOf(entry.source.line) });
    }
    for (const [i, entry] of entries.entries()) assert.equal(entry.old, i === 0 ? null : entries[i - 1]!.new);
  });

  it('lists the changes of a field: the function mask of the network card (FACTS A15)', async () => {
    const entries = await ndjson<HistoryEntry>('history', example, 'device/0000:00:04.0/msixcap/control.fmask');
    let mask = false;
    const changes = grepAll(/pci_cfg_write e1000e 00:04.0 @0xa2 <- /).filter((line) => {
      const now = (Number(lines[line - 1]!.split('<- ')[1]) & 0x4000) !== 0;
      const changed = now !== mask;
      mask = now;
      return changed;
    });
    assert.deepEqual(
      entries.slice(1).map((e) => [e.source.line, e.new]),
      changes.map((line, i) => [line, i % 2 === 0]),
    );
    assert.equal(entries[0]!.old, null);
  });

  it('follows a whole object, each entry with its path', async () => {
    const entries = await ndjson<HistoryEntry>('history', example, `${NVME}/msix/0`);
    for (const entry of entries) assert.ok(entry.path!.startsWith(`${NVME}/msix/0/`));
    const unmasked = entries.find((e) => e.source.line === unmask && e.path!.endsWith('/control'));
    assert.equal(unmasked!.old, '0x1');
    assert.equal(unmasked!.new, '0x0');
  });
});
