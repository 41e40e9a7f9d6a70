// What the capture script writes is read back as one trace: its snapshots stand at the times that kit.json tells.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { answered, irqscope } from '../cli/run.ts';
import { tarOf } from '../helpers/tar.ts';
import { Machine, SHELLS } from './machine.ts';

interface Info {
  sources: { file: string; format: string; clock: string | null; system: string | null }[];
  systems: string[];
  clocks: { file: string; place?: string }[];
  unread: { file: string; problem: string }[];
}

interface Event {
  kind: string;
  time: string | null;
  source: { file: string };
}

const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await answered([...args, '--json'])).out) as T;

const events = async (file: string): Promise<Event[]> =>
  (await answered(['events', file, '--json'])).out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);

/** The stamps that the trace gave to the marks of the kit. */
const marks = (trace: string): Map<string, number> =>
  new Map(
    [...trace.matchAll(/ (\d+\.\d+): tracing_mark_write: irqscope: clock (snapshot-\d (?:begin|end)) /g)].map(
      ([, stamp, mark]) => [mark!, Number(stamp)],
    ),
  );

/** Of each snapshot the last stamp before its events and the first one behind them. */
function around(all: readonly Event[], snapshot: string): [number, number] {
  const own = all.flatMap(({ source: { file } }, i) => (file.includes(`/${snapshot}/`) ? [i] : []));
  const time = (list: readonly Event[]): number => Number(list.find((e) => e.time !== null)?.time ?? Number.NaN);
  return [time(all.slice(0, own[0]).reverse()), time(all.slice(own.at(-1)! + 1))];
}

describe('a recording of the capture script', function () {
  this.timeout(60_000);
  let machine: Machine;
  let tar = '';
  let trace = '';
  before(async function () {
    if (process.platform !== 'linux') this.skip();
    machine = new Machine();
    const { status, out, err } = await machine.run(SHELLS[0]!, ['--seconds', '1']);
    assert.equal(status, 0, err);
    trace = machine.unpack(out).get('trace')!;
    tar = join(machine.root, 'capture.tar');
  });
  after(() => machine?.dispose());

  it('is one trace of one machine, packed or unpacked; kit.json tells the clock of the trace', async () => {
    for (const file of [tar, join(machine.root, 'unpacked')]) {
      const { sources, systems, unread } = await json<Info>('info', file);
      assert.deepEqual(systems, []);
      const [first] = sources;
      assert.match(first!.file, /\/irqscope-[\d-]+\/trace$/);
      assert.deepEqual([first!.format, first!.clock], ['ftrace-text', 'mono']);
      assert.ok(sources.some(({ file: name }) => name.endsWith('/snapshot-1/proc/interrupts')));
      assert.deepEqual(
        unread.filter(({ file: name }) => name.endsWith('kit.json')),
        [],
      );
    }
  });

  it('its snapshots stand at the times of kit.json, and info says so', async () => {
    const stamps = marks(trace);
    assert.equal(stamps.size, 4);
    for (const file of [tar, join(machine.root, 'unpacked')]) {
      const { clocks } = await json<Info>('info', file);
      const snapshots = clocks.filter(({ file: name }) => /\/snapshot-\d\//.test(name));
      assert.ok(snapshots.length >= 8, `${snapshots.length} files of snapshots`);
      for (const { file: name, place } of snapshots) assert.equal(place, 'kit.json', name);
      const all = await events(file);
      for (const snapshot of ['snapshot-0', 'snapshot-1']) {
        const [before, behind] = around(all, snapshot);
        const begin = stamps.get(`${snapshot} begin`)!;
        const end = stamps.get(`${snapshot} end`)!;
        assert.ok(before >= begin && before <= end, `${snapshot} stands behind ${before}, it began at ${begin}`);
        assert.ok(Number.isNaN(behind) || behind > before, `${snapshot} stands before ${behind}`);
      }
    }
  });

  it('a mark that was overwritten: the time since the start of the machine tells it', async () => {
    const folder = join(machine.root, 'overwritten');
    const write = (name: string, text: string): void => {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), text);
    };
    const line = (time: string): string => `     sh-9       [000] .....    ${time}: tracing_mark_write: at ${time}\n`;
    write('trace', `# tracer: nop\n#\n${['10.000000', '20.000000', '30.000000'].map(line).join('')}`);
    write(
      'snapshot-0/proc/interrupts',
      '           CPU0\n 26:         10  IR-PCI-MSIX-0000:00:03.0    0-edge      nvme0q0\n',
    );
    const clock = { snapshot: 0, realtime: '1700000000.5', until: '1700000000.6', trace: null };
    const clocks = [
      { ...clock, at: 'begin', uptime: '20.01' },
      { ...clock, at: 'end', uptime: '20.50' },
    ];
    write('kit.json', JSON.stringify({ kit: 1, traceClock: 'boot', clocks }));
    const info = await json<Info>('info', folder);
    assert.equal(info.clocks.find(({ place }) => place !== undefined)!.place, 'kit.json');
    assert.deepEqual(around(await events(folder), 'snapshot-0'), [20, 30]);
  });

  it('files of an archive without kit.json: the time in the archive, where another file tells the time of day', async () => {
    const log = (second: number): string =>
      `7@${1_700_000_000 + second}.000000:vtd_inv_desc_iec granularity 0x1 index 0x14 mask 0x0\n`;
    const list = ' 26:         10  IR-PCI-MSIX-0000:00:03.0    0-edge      nvme0q0\n';
    const path = join(machine.root, 'dated.tar');
    const members = [
      { name: 'c/qemu.log', data: [0, 10, 20, 30].map(log).join('') },
      { name: 'c/a/interrupts', data: `           CPU0\n${list}`, mtime: 1_700_000_015 },
    ];
    writeFileSync(path, gzipSync(tarOf(members)));
    const info = await json<Info>('info', path);
    assert.equal(info.clocks[1]!.place, 'the time in the archive');
    const all = await events(path);
    const at = all.findIndex(({ kind }) => kind.startsWith('snap.'));
    assert.equal(all[at - 1]!.time, '1700000010.000000');
  });

  it('kit.json alone is no trace, and no other JSON is taken for it', async () => {
    const alone = join(machine.root, 'kit-alone.json');
    // The names of events in it are those that records have: kvm_xen_hypercall made one of 2026 a log of QEMU.
    const named =
      '{\n "kit": 1,\n "clocks": [],\n "events": [\n  "kvm:kvm_xen_hypercall",\n  "irq:irq_handler_entry"]\n}\n';
    for (const [text, why] of [
      ['{"kit":1,"clocks":[]}', /it is the kit\.json of a recording/],
      [named, /it is the kit\.json of a recording/],
      ['{"kit":"1","clocks":[]}', /no line of it is a trace record/],
      ['{"kit":1', /no line of it is a trace record/],
      ['{}', /no line of it is a trace record/],
    ] as const) {
      writeFileSync(alone, text);
      const { status, err } = await irqscope(['info', alone]);
      assert.equal(status, 2);
      assert.match(err, /^irqscope: [^:]*kit-alone\.json: /);
      assert.match(err, why);
    }
  });
});
