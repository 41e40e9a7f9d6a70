// Several sources on the command line: --with, --offset, folders, archives, places in one of several files.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { tarOf } from '../helpers/tar.ts';
import { answered, irqscope, root } from './run.ts';

const KERNEL = 'test/fixtures/x86-vtd/ftrace.txt.gz';
const MACHINE = 'test/fixtures/x86-vtd/qemu.log.gz';
const HOST = 'test/fixtures/x86-nested/l1-vfio.txt.gz';
const GUEST = 'test/fixtures/x86-nested/l2-qemu.log.gz';

interface Info {
  sources: { file: string; system: string | null; vantage: string; events: number; duplicateOf?: string }[];
  systems: string[];
  clocks: { file: string; offset: string; uncertainty: string | null; drift: number; evidence: unknown[] }[];
  unread: { file: string; problem: string }[];
}

const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await answered([...args, '--json'])).out) as T;

describe('several sources', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-join-'));
    mkdirSync(join(folder, 'heap/guest'), { recursive: true });
    mkdirSync(join(folder, 'heap/host'));
    cpSync(join(root, KERNEL), join(folder, 'heap/guest/trace.txt.gz'));
    cpSync(join(root, MACHINE), join(folder, 'heap/host/qemu.log.gz'));
    writeFileSync(join(folder, 'heap/README'), 'What the files are.\n');
    const packed = readFileSync(join(root, KERNEL));
    writeFileSync(join(folder, 'heap/guest/trace.txt'), gunzipSync(packed));
    const members = ['README', 'guest/trace.txt', 'guest/trace.txt.gz', 'host/qemu.log.gz'];
    const tar = tarOf(
      members.map((name) => ({ name: `heap/${name}`, data: readFileSync(join(folder, 'heap', name)) })),
    );
    writeFileSync(join(folder, 'heap.tar.gz'), gzipSync(tar));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('info tells of sources, systems and clocks with their evidence', async () => {
    const { sources, systems, clocks } = await json<Info>('info', KERNEL, '--with', MACHINE);
    assert.deepEqual(
      sources.map(({ file, system, vantage }) => [file, system, vantage]),
      [
        [KERNEL, null, 'kernel'],
        [MACHINE, null, 'hardware'],
      ],
    );
    assert.deepEqual(systems, []);
    assert.deepEqual(
      [clocks[0]!.offset, clocks[0]!.uncertainty, clocks[0]!.evidence],
      ['0.000000000', '0.000000000', []],
    );
    assert.match(clocks[1]!.offset, /^-1795148652\.63\d{7}$/);
    assert.ok(clocks[1]!.evidence.length >= 10);
  });

  it('a folder and an archive of it are the same trace; copies and other files are listed', async () => {
    const [inFolder, packed] = [join(folder, 'heap'), join(folder, 'heap.tar.gz')];
    const [a, b] = [await json<Info>('info', inFolder), await json<Info>('info', packed)];
    const names = ({ sources }: Info, at: string) =>
      sources.map(({ file, duplicateOf }) => [file.replace(at, ''), duplicateOf?.replace(at, '')]);
    assert.deepEqual(names(a, inFolder), [
      ['/guest/trace.txt', undefined],
      ['/host/qemu.log.gz', undefined],
      ['/guest/trace.txt.gz', '/guest/trace.txt'],
    ]);
    assert.deepEqual(names(b, `${packed}/heap`).sort(), names(a, inFolder).sort());
    assert.deepEqual(
      a.unread.map(({ file }) => file),
      [join(inFolder, 'README')],
    );
    const rows = async (file: string) => (await answered(['interrupts', file, '--json'])).out;
    assert.equal(await rows(inFolder), await rows(packed));
  });

  it('names of systems stand in front of paths', async () => {
    const { systems } = await json<Info>('info', HOST, '--with', GUEST);
    assert.deepEqual(systems, ['host', 'guest']);
    const entry = await json<object>(
      'state',
      HOST,
      '--with',
      GUEST,
      '--at',
      'end',
      '--object',
      'guest:device/0000:00:01.0/msix/0',
    );
    assert.ok('control' in entry);
    const named = await json<Info>('info', `a=${HOST}`, '--with', `b=${GUEST}`);
    assert.deepEqual(named.systems, ['a', 'b']);
  });

  it('--offset sets a clock by hand, by the base name of a source', async () => {
    const { clocks } = await json<Info>('info', KERNEL, '--with', MACHINE, '--offset', 'qemu.log.gz=-1795148652.5');
    assert.deepEqual(
      [clocks[1]!.offset, clocks[1]!.uncertainty, clocks[1]!.evidence],
      ['-1795148652.500000000', null, []],
    );
    for (const [args, why] of [
      [['--offset', 'other.log=1'], /no source is called that/],
      [['--offset', 'qemu.log.gz=soon'], /expected SOURCE=SECONDS/],
      [['--offset', 'ftrace.txt.gz=1'], /the clock of .* is that of the trace/],
    ] as const) {
      const { status, err } = await irqscope(['info', KERNEL, '--with', MACHINE, ...args]);
      assert.equal(status, 2);
      assert.match(err, why);
    }
  });

  it('check and diff take them, too', async () => {
    interface Check {
      verdicts: Record<string, string>;
    }
    const alone = await json<Check>('check', KERNEL);
    const both = await json<Check>('check', KERNEL, '--with', MACHINE);
    // The kernel alone does not show what the function sends; the log alone does not show whether a handler runs.
    assert.equal(alone.verdicts['F03'], 'undecidable');
    assert.equal(both.verdicts['F03'], 'pass');
    const blind = ({ verdicts }: Check) => Object.values(verdicts).filter((v) => v === 'undecidable').length;
    assert.ok(blind(both) < blind(alone), `${blind(both)} of ${blind(alone)} are blind`);
    const { status, out } = await answered(['diff', join(folder, 'heap'), join(folder, 'heap.tar.gz')]);
    assert.equal(status, 0, out);
  });

  it('a session file tells of single files of a folder, and leaves some out', async () => {
    const path = join(folder, 'folder.irqsession');
    const files = {
      'guest/trace.txt': { system: 'board' },
      'qemu.log.gz': { system: 'board', offset: '-1795148652.25' },
    };
    const read = async (more: object): Promise<Info> => {
      writeFileSync(path, JSON.stringify({ irqsession: 1, sources: [{ file: 'heap', files: { ...files, ...more } }] }));
      return json<Info>('info', path);
    };
    const { sources, clocks } = await read({});
    const of = (end: string): number => sources.findIndex(({ file }) => file.endsWith(end));
    assert.deepEqual([of('guest/trace.txt') >= 0, of('host/qemu.log.gz') >= 0], [true, true]);
    assert.equal(clocks[of('host/qemu.log.gz')]!.offset, '-1795148652.250000000');
    const fewer = await read({ 'qemu.log.gz': { skip: true } });
    assert.ok(JSON.stringify(fewer).includes('guest/trace.txt'));
    assert.ok(!JSON.stringify(fewer).includes('qemu.log.gz'));
  });

  it('a session file opens what it lists, relative to itself, with its systems and offsets', async () => {
    const path = join(folder, 'both.irqsession');
    const session = {
      irqsession: 1,
      sources: [
        { file: 'heap/guest/trace.txt', system: 'board' },
        { file: './heap/host/qemu.log.gz', system: 'board', offset: '-1795148652.25' },
      ],
      cursor: 5,
    };
    writeFileSync(path, JSON.stringify(session));
    const { sources, systems, clocks } = await json<Info>('info', path);
    assert.deepEqual(
      sources.map(({ file, system }) => [file, system]),
      [
        [join(folder, 'heap/guest/trace.txt'), 'board'],
        [join(folder, 'heap/host/qemu.log.gz'), 'board'],
      ],
    );
    assert.deepEqual([systems, clocks[1]!.offset], [['board'], '-1795148652.250000000']);
    for (const [change, why] of [
      [{ sources: [] }, /sources: at least one source was expected/],
      [{ sources: [{ file: 'a', offset: 'soon' }] }, /sources\.0\.offset: a number of seconds/],
      [{ irqsession: 2 }, /irqsession: /],
      [{ sources: [{ file: 'nowhere.txt' }] }, /nowhere\.txt: no such file/],
    ] as const) {
      writeFileSync(path, JSON.stringify({ ...session, ...change }));
      const { status, err } = await irqscope(['info', path]);
      assert.equal(status, 2);
      assert.match(err, why);
      assert.equal(err.trimEnd().split('\n').length, 1);
    }
  });

  it('line:FILE:N is a line of that file', async () => {
    const args = ['events', KERNEL, '--with', MACHINE, '--limit', '1', '--from', 'line:qemu.log.gz:1000', '--json'];
    const event = JSON.parse((await answered(args)).out) as { source: { file: string; line: number } };
    assert.deepEqual([event.source.file, event.source.line >= 1000, event.source.line < 1010], [MACHINE, true, true]);
    const { status, err } = await irqscope(['state', KERNEL, '--with', MACHINE, '--at', 'line:other.log:5']);
    assert.equal(status, 2);
    assert.match(err, /no source is called other\.log; there are .*ftrace\.txt\.gz, .*qemu\.log\.gz/);
  });

  it('state tells the file whose line made it so', async () => {
    const { out } = await answered(['state', HOST, '--with', GUEST, '--at', `line:${GUEST}:30`]);
    assert.match(out, new RegExp(`^${GUEST.replaceAll('.', '[.]')}:30: state after step \\d+`));
  });

  it('an offset for a name that two sources have is refused, and taken for one that tells them apart', async () => {
    for (const name of ['a', 'b']) {
      mkdirSync(join(folder, 'same', name), { recursive: true });
      writeFileSync(
        join(folder, 'same', name, 'trace.txt'),
        fixtureBytes(name === 'a' ? 'x86-vtd/ftrace.txt' : 'x86-nested/l1-ftrace.txt'),
      );
    }
    const args = ['info', join(folder, 'same/a/trace.txt'), '--with', join(folder, 'same/b/trace.txt'), '--offset'];
    const { status, err } = await irqscope([...args, 'trace.txt=3']);
    assert.equal(status, 2);
    assert.match(err, /--offset trace\.txt: .*same\/a\/trace\.txt and .*same\/b\/trace\.txt are called that/);
    const { clocks } = await json<Info>(...(args as [string, ...string[]]), 'b/trace.txt=3');
    assert.equal(clocks[1]!.offset, '3.000000000');
  });

  it('files of single irqs below a folder are one source', async () => {
    const irq = join(folder, 'sos/proc/irq/41');
    mkdirSync(irq, { recursive: true });
    writeFileSync(join(irq, 'smp_affinity_list'), '0-1\n');
    writeFileSync(join(irq, 'effective_affinity_list'), '1\n');
    const { sources } = await json<Info>('info', join(folder, 'sos'));
    assert.deepEqual(
      sources.map(({ file, events }) => [file, events]),
      [[join(folder, 'sos/proc/irq'), 2]],
    );
    const { out } = await answered(['events', join(folder, 'sos'), '--json']);
    const lines = out.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).map(({ source, fields }) => [source.line, fields]),
      [
        [2, { effective: '1' }],
        [4, { affinity: '0-1' }],
      ],
    );
  });

  it('a folder of links is the folder of their files, each read once', async () => {
    const linked = join(folder, 'linked');
    mkdirSync(linked);
    const link = (target: string, name: string): void => symlinkSync(target, join(linked, name));
    link(join(root, KERNEL), 'kernel.gz');
    link(join(root, KERNEL), 'same.gz');
    link('kernel.gz', 'twice.gz');
    link(join(folder, 'heap'), 'folder');
    link('nowhere', 'broken');
    link('round', 'round');
    link('/dev/zero', 'device');
    const { sources } = await json<Info>('info', linked, '--with', MACHINE);
    assert.deepEqual(
      sources.map(({ file }) => file),
      [join(linked, 'kernel.gz'), MACHINE],
    );
    writeFileSync(
      join(linked, 'own.irqtrace'),
      '#irqtrace 1\n#clock seconds digits=9 t\n0.1 - - irq.entry irq/5 name=x\n',
    );
    rmSync(join(linked, 'same.gz'));
    link('own.irqtrace', 'own-again');
    const { sources: both } = await json<Info>('info', linked);
    assert.deepEqual(
      both.map(({ file }) => file),
      [join(linked, 'kernel.gz'), join(linked, 'own.irqtrace')],
    );
  });

  it('a file may have a line end in its name', async () => {
    const name = 'a\nb.log.gz';
    cpSync(join(root, MACHINE), join(folder, name));
    const file = join(folder, name);
    const { sources, systems } = await json<Info>('info', `host=${KERNEL}`, '--with', `guest=${file}`);
    assert.deepEqual(
      sources.map((source) => source.file),
      [KERNEL, file],
    );
    assert.deepEqual(systems, ['host', 'guest']);
    const joined = ['--with', file, '--offset', `${name}=-1795148652.631`];
    const [told] = await json<{ source: unknown }[]>(...['path', KERNEL, ...joined, '--at', `line:${name}:4723`]).then(
      (answer) => (answer as unknown as { hops: { source: unknown }[] }).hops,
    );
    assert.ok(told);
  });

  it('a folder without a trace says why', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    writeFileSync(join(empty, 'a.txt'), 'nothing\n');
    const { status, err } = await irqscope(['info', empty]);
    assert.equal(status, 2);
    assert.match(err, /its only file is no trace; .*a\.txt: no line of it is a trace record/);
    assert.doesNotMatch(err, /irqscope: .*irqscope: /, 'the name of the program stands in front once');
    writeFileSync(join(empty, 'b.txt'), 'nothing here\n');
    assert.match(
      (await irqscope(['info', empty])).err,
      /none of its 2 files is a trace; .*a\.txt and 1 more: no line of it is a trace record/,
    );
    rmSync(join(empty, 'b.txt'));
    rmSync(join(empty, 'a.txt'));
    assert.match((await irqscope(['info', empty])).err, /empty: no file is in it\n$/);
  });
});
