// Traces of several sources: opened together, joined, taken apart, told about by the user, kept in a session file.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as vscode from 'vscode';
import type { OpenTrace } from '../../src/vscode/sessions.ts';
import type { TraceRow } from '../../src/vscode/views/trace-parts.ts';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { tarOf } from '../helpers/tar.ts';
import { activate, active, closeAll, eventually, run } from './helper.ts';

const KERNEL = fixtureBytes('x86-vtd/ftrace.txt');
const MACHINE = fixtureBytes('x86-vtd/qemu.log');

let folder = '';
const at = (name: string): vscode.Uri => vscode.Uri.file(join(folder, name));
const file = (name: string, content: string | Uint8Array): vscode.Uri => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
  return at(name);
};

/** The names of the sources of a trace, without those that follow from others. */
const names = ({ session }: OpenTrace): string[] =>
  session.trace.sources.filter(({ derived }) => !derived).map((source) => source.file);

/** The events of its sources, as many as each has alone. */
const told = ({ session }: OpenTrace): number =>
  session.trace.sources.filter(({ derived }) => !derived).reduce((n, { events }) => n + events.length, 0);

/** All rows of the active trace in the view Traces, by their id. */
async function rows(): Promise<Map<string, TraceRow>> {
  const { traces } = (await activate()).internals;
  const found = new Map<string, TraceRow>();
  const add = (row: TraceRow): void => {
    found.set(row.id.replace(/^trace\/\d+\/?/, ''), row);
    for (const child of traces.getChildren(row)) add(child);
  };
  const trace = await active();
  for (const row of traces.getChildren()) if (row.trace === trace) add(row);
  return found;
}

const tabs = (): (vscode.TabInputText | vscode.TabInputCustom)[] =>
  vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .map(({ input }) => input)
    .filter((input) => input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom);

describe('several sources', () => {
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-sources-'));
    await closeAll();
    file('kernel.txt', KERNEL);
    file('machine.log', MACHINE);
  });
  afterEach(closeAll);
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('files that are opened together are one trace', async () => {
    await run('openTrace', at('kernel.txt'), [at('kernel.txt'), at('machine.log')]);
    const trace = await active();
    assert.deepEqual(names(trace), ['kernel.txt', 'machine.log']);
    assert.equal(trace.label, 'kernel.txt + machine.log');
    assert.equal((await activate()).internals.sessions.all.length, 1);
    // The caret of either text moves the cursor; a line of the second file leads to its text.
    const { trace: events } = trace.session;
    const step = Array.from({ length: events.length }, (_, i) => i).find(
      (i) => events.sources[events.sourceOf(i)]!.file === 'machine.log',
    )!;
    await run('revealLine', trace.uri, events.table.line(step), 'machine.log');
    const shown = (): vscode.TextEditor | undefined =>
      vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === at('machine.log').toString());
    await eventually(() => assert.equal(shown()?.selection.active.line, events.table.line(step) - 1));
  });

  it('a folder, a tar and a packed tar with the same files are the same trace', async () => {
    file('run/kernel.txt', KERNEL);
    file('run/machine.log', MACHINE);
    file('run/notes.md', '# What I did\n\nNothing.\n');
    const packed = tarOf([
      { name: 'run/kernel.txt', data: KERNEL },
      { name: 'run/machine.log', data: MACHINE },
    ]);
    file('run.tar', packed);
    file('run.tar.gz', gzipSync(packed));
    const counts: number[] = [];
    for (const name of ['run', 'run.tar', 'run.tar.gz']) {
      const uri = name === 'run' ? vscode.Uri.file(join(folder, 'run')) : at(name);
      await run(name === 'run' ? 'openFolder' : 'openTrace', uri);
      const trace = await active();
      assert.equal(trace.label, name);
      assert.deepEqual(
        names(trace).map((one) => one.slice(one.lastIndexOf('/') + 1)),
        ['kernel.txt', 'machine.log'],
        name,
      );
      counts.push(trace.session.trace.length);
      // It has no text of its own: its events are shown.
      await eventually(() => {
        const input = tabs().find((tab) => tab.uri.toString() === uri.toString());
        assert.ok(input instanceof vscode.TabInputCustom && input.viewType === 'irqscope.trace', name);
      });
      if (name === 'run') {
        const all = await rows();
        assert.match(all.get('unread/run/notes.md')!.description, /./);
      } else {
        await run('revealLine', uri, 5, names(trace)[0]);
      }
      await closeAll();
    }
    assert.equal(new Set(counts).size, 1, counts.join(' '));
  });

  it('a source joins a trace and leaves it; cursor, bookmarks and search stay at their events', async () => {
    await run('openTrace', at('kernel.txt'), { step: 500 });
    const before = await active();
    const line = before.session.trace.table.line(500);
    await run('setCheckpoint', 'mine');
    await run('findEvents', 'kind == irq.entry');
    const found = before.session.search!.hits.size;
    const length = before.session.trace.length;
    assert.deepEqual(await run('addToTrace', at('machine.log')), ['kernel.txt', 'machine.log']);
    const joined = await active();
    const { sessions } = (await activate()).internals;
    assert.deepEqual(sessions.all, [joined]);
    assert.equal(joined.uri.toString(), before.uri.toString());
    const { trace, cursor, stops } = joined.session;
    assert.ok(trace.length > length);
    const where = (step: number): [string, number] => [
      trace.sources[trace.sourceOf(step)]!.file,
      trace.table.line(step),
    ];
    assert.deepEqual(where(cursor), ['kernel.txt', line]);
    assert.deepEqual(where(stops.checkpoints[0]!.step), ['kernel.txt', line]);
    await eventually(() => {
      assert.equal(joined.session.search?.text, 'kind == irq.entry');
      assert.equal(joined.session.search?.hits.size, found);
    });
    assert.equal(await run('addToTrace', [at('machine.log')]), undefined);
    assert.deepEqual(await run('removeSource', 'machine.log'), ['kernel.txt']);
    const again = await active();
    assert.equal(again.session.cursor, 500);
    assert.equal(again.session.trace.length, length);
    // The last one cannot be taken out.
    assert.equal(await run('removeSource', 'kernel.txt'), undefined);
    assert.equal(await active(), again);
  });

  it('with a wrong system or offset in an argument are not opened, instead of without it', async () => {
    const file = at('machine.log').fsPath;
    const { sessions } = (await activate()).internals;
    const open = sessions.all.length;
    for (const wrong of [{ offset: '12 apples' }, { offset: {} }, { system: 'a b' }, { system: 7 }]) {
      assert.equal(await run('openTrace', undefined, [at('kernel.txt'), { file, ...wrong }]), undefined);
      assert.equal(await run('openTrace', { file, ...wrong }), undefined);
    }
    assert.equal(await run('openTrace', { file: 5 }), undefined);
    assert.equal(sessions.all.length, open);
    assert.equal(typeof (await run('openTrace', undefined, [at('kernel.txt'), { file, offset: '-1.5' }])), 'number');
    assert.equal(await run('addToTrace', { file, offset: 'x' }, (await active()).uri), undefined);
    await run('closeTrace');
  });

  it('the first source can leave, too', async () => {
    await run('openTrace', undefined, [at('kernel.txt'), at('machine.log')]);
    assert.deepEqual(await run('removeSource', 'kernel.txt'), ['machine.log']);
    const trace = await active();
    assert.equal(trace.uri.toString(), at('machine.log').toString());
    assert.equal(trace.label, 'machine.log');
  });

  it('system and clock offset are set, shown and found again', async () => {
    await run('openTrace', undefined, [at('kernel.txt'), at('machine.log')]);
    const before = await rows();
    const own = 'sources/source 1';
    const offset = before.get(`${own}/offset`)!.description;
    assert.match(offset, /^[+-][\d.]+ s ± [\d.]+ s · \d+ pairs? of events$/);
    assert.match(before.get(own)!.description, /^qemu-log · hardware · [+-]/);
    assert.equal(before.get(`${own}/vantage`)!.description, 'hardware');
    assert.match(before.get(`${own}/records`)!.description, /^[\d,]+ in [\d,]+ lines$/);
    // A click on a pair goes to its event, and the rows below it to both.
    const pair = before.get(`${own}/offset/evidence 0`)!;
    const { traces } = (await activate()).internals;
    const { command } = traces.getTreeItem(pair);
    await vscode.commands.executeCommand(command!.command, ...(command!.arguments ?? []));
    const { cursor, trace } = (await active()).session;
    assert.equal(cursor, pair.step);
    assert.equal(trace.sources[trace.sourceOf(cursor)]!.file, 'machine.log');
    const other = before.get(`${own}/offset/evidence 0/other`)!;
    assert.equal(trace.sources[trace.sourceOf(other.step!)]!.file, 'kernel.txt');

    assert.equal(await run('setClockOffset', 'machine.log', '-12.5'), '-12.500000000');
    assert.equal((await rows()).get(`${own}/offset`)!.description, '-12.5 s · set by hand');
    assert.equal(await run('setSystem', 'kernel.txt', 'host'), 'host');
    assert.equal(await run('setSystem', 'machine.log', 'guest'), 'guest');
    const set = await rows();
    assert.match(set.get(own)!.description, /^qemu-log · guest · hardware · -12.5 s/);
    assert.equal(set.get('sources')!.description, '2 · host, guest');
    assert.ok((await active()).session.trace.world.find('guest:device'));
    // Empty: found from the content again.
    await run('setSystem', 'kernel.txt', '');
    await run('setSystem', 'machine.log', '');
    await run('setClockOffset', 'machine.log', '');
    assert.equal((await rows()).get(`${own}/offset`)!.description, offset);
    // The clock of the first one is that of the trace; what is no number or no name changes nothing.
    assert.equal(await run('setClockOffset', 'kernel.txt', '1'), undefined);
    assert.equal(await run('setClockOffset', 'machine.log', 'soon'), undefined);
    assert.equal(await run('setSystem', 'machine.log', '7 of 9'), undefined);
    assert.equal(await run('setSystem', 'no.log', 'guest'), undefined);
    assert.equal((await rows()).get(`${own}/offset`)!.description, offset);
  });

  it('what is said of two sources at once holds for both', async () => {
    await run('openTrace', undefined, [at('kernel.txt'), at('machine.log')]);
    const said = await Promise.all([
      run('setSystem', 'kernel.txt', 'host'),
      run('setSystem', 'machine.log', 'guest'),
      run('setClockOffset', 'machine.log', '3'),
    ]);
    assert.deepEqual(said, ['host', 'guest', '3.000000000']);
    const { sources } = (await active()).session.trace;
    assert.deepEqual([sources[0]!.system, sources[1]!.system, sources[1]!.offset], ['host', 'guest', 3_000_000_000n]);
    assert.equal((await activate()).internals.sessions.all.length, 1);
  });

  it('files that are opened in the place of one of them leave its user where they were', async () => {
    await run('openTrace', at('kernel.txt'), { step: 500 });
    const line = (await active()).session.trace.table.line(500);
    await run('openTrace', undefined, [at('kernel.txt'), at('machine.log')]);
    const { cursor, trace } = (await active()).session;
    assert.deepEqual([trace.sources[trace.sourceOf(cursor)]!.file, trace.table.line(cursor)], ['kernel.txt', line]);
    // The same files with other words about them are another question, also while the first one is answered.
    await closeAll();
    const { sessions } = (await activate()).internals;
    const both = (system: string): Promise<OpenTrace> =>
      sessions.openTogether([{ uri: at('kernel.txt'), system }, { uri: at('machine.log') }]);
    const opened = await Promise.all([both('host'), both('l1')]);
    assert.deepEqual(
      opened.map((one) => one.session.trace.sources[0]!.system),
      ['host', 'l1'],
    );
    assert.equal(sessions.all.length, 1);
  });

  it('what is said of a single source holds, also as no list', async () => {
    for (const argument of [[{ file: at('kernel.txt'), system: 'l1' }], { file: at('kernel.txt'), system: 'l1' }]) {
      await run('openTrace', argument);
      assert.equal((await active()).session.trace.first.system, 'l1');
      await closeAll();
    }
  });

  it('bookmarks of a joined trace are there when the same files are joined again', async () => {
    await run('openTrace', at('kernel.txt'));
    await run('addToTrace', at('machine.log'));
    await run('goToStep', 321);
    await run('setCheckpoint', 'in both');
    await closeAll();
    await run('openTrace', at('kernel.txt'));
    await run('addToTrace', at('machine.log'));
    const { stops } = (await active()).session;
    assert.equal(stops.checkpoints.find(({ name }) => name === 'in both')?.step, 321);
    stops.removeCheckpoint('in both');
  });

  it('reading a folder with very many small files can be stopped', async () => {
    for (let irq = 0; irq < 40; irq++) file(`many/proc/irq/${irq}/smp_affinity_list`, '0-3\n');
    const { internals } = await activate();
    const stop = new vscode.CancellationTokenSource();
    let read = 0;
    const reading = internals.sessions.openTogether([{ uri: at('many') }], {
      token: stop.token,
      at: () => ++read === 3 && stop.cancel(),
    });
    await assert.rejects(Promise.resolve(reading), /cancelled/);
    assert.equal(read, 3);
    assert.equal(internals.sessions.all.length, 0);
  });

  it('a session file brings all of it back', async () => {
    await run('openTrace', undefined, [at('kernel.txt'), at('machine.log')]);
    const { stops } = (await active()).session;
    for (const { name } of stops.checkpoints) stops.removeCheckpoint(name);
    await run('setSystem', 'kernel.txt', 'host');
    await run('setSystem', 'machine.log', 'guest');
    await run('setClockOffset', 'machine.log', '1.25');
    await run('goToStep', 700);
    await run('setCheckpoint', 'there');
    await run('findEvents', 'kind == irq.entry');
    const trace = await active();
    trace.session.arrangeLanes(['cpu', 'cpu/0']);
    mkdirSync(join(folder, 'kept'), { recursive: true });
    const target = at('kept/mine.irqsession');
    assert.equal(String(await run('saveSession', target)), String(target));
    const document = JSON.parse(readFileSync(target.fsPath, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(document, {
      irqsession: 1,
      sources: [
        { file: '../kernel.txt', system: 'host', vantage: 'kernel' },
        { file: '../machine.log', system: 'guest', vantage: 'hardware', offset: '1.25' },
      ],
      cursor: 700,
      filter: 'kind == irq.entry',
      bookmarks: [{ step: 700, name: 'there' }],
      lanes: ['cpu', 'cpu/0'],
    });
    const { length } = trace.session.trace;
    await closeAll();
    assert.equal(await run('openTrace', target), 700);
    const back = await active();
    assert.equal(back.label, 'mine.irqsession');
    assert.equal(back.session.trace.length, length);
    assert.equal(back.session.trace.sources[1]!.system, 'guest');
    assert.equal(back.session.trace.sources[1]!.offset, 1_250_000_000n);
    assert.deepEqual(back.session.stops.checkpoints, [{ name: 'there', step: 700 }]);
    assert.deepEqual(back.session.lanes, ['cpu', 'cpu/0']);
    await eventually(() => assert.equal(back.session.search?.text, 'kind == irq.entry'));
    // It stays a session when a source leaves; the file changes only when it is saved again.
    await run('removeSource', 'machine.log');
    assert.equal((await active()).label, 'mine.irqsession');
  });

  it('a session file keeps what is said of single files of a folder', async () => {
    file('pair/kernel.txt', KERNEL);
    file('pair/machine.log', MACHINE);
    await run('openFolder', at('pair'));
    await run('setClockOffset', 'machine.log', '2');
    await run('saveSession', at('pair.irqsession'));
    await run('removeSource', 'machine.log');
    await run('saveSession', at('less.irqsession'));
    const sources = (name: string): unknown =>
      (JSON.parse(readFileSync(at(name).fsPath, 'utf8')) as { sources: unknown }).sources;
    assert.deepEqual(sources('pair.irqsession'), [{ file: 'pair', files: { 'machine.log': { offset: '2' } } }]);
    assert.deepEqual(sources('less.irqsession'), [
      { file: 'pair', files: { 'machine.log': { offset: '2', skip: true } } },
    ]);
    await closeAll();
    await run('openTrace', at('pair.irqsession'));
    assert.equal((await active()).session.trace.sources[1]!.offset, 2_000_000_000n);
    await closeAll();
    await run('openTrace', at('less.irqsession'));
    assert.deepEqual(names(await active()), ['pair/kernel.txt']);
  });

  it('kinds that are not known have a line each, in the file where it stands', async () => {
    const text = Buffer.from(MACHINE).toString('latin1').split('\n').slice(0, 4000);
    text.splice(3000, 0, text[2999]!.replace(/:\w+ .*/, ':pci_made_up_event dev nvme 1'));
    const uri = file('odd.log', text.join('\n'));
    await run('openTrace', undefined, [at('kernel.txt'), uri]);
    const all = await rows();
    const line = all.get('sources/source 1/unknown/pci_made_up_event/3001')!;
    assert.ok(line, [...all.keys()].filter((id) => id.includes('unknown')).join(' '));
    const { traces } = (await activate()).internals;
    const item = traces.getTreeItem(line);
    const { tooltip } = await traces.resolveTreeItem(item, line);
    assert.match((tooltip as vscode.MarkdownString).value, /pci_made_up_event dev nvme 1/);
    const shown = (): vscode.TextEditor | undefined =>
      vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
    // The text of the trace, which is shown when it was opened, may come in front a moment later: the user clicks again.
    await eventually(async () => {
      await vscode.commands.executeCommand(item.command!.command, ...(item.command!.arguments ?? []));
      assert.equal(shown()?.selection.active.line, 3000);
    });
  });

  it('what cannot be joined is said, and the trace stays', async () => {
    await run('openTrace', at('kernel.txt'));
    const trace = await active();
    file('prose.txt', 'Dear list,\nthe interrupt is lost.\n');
    file('empty.irqsession', '{ "irqsession": 1, "sources": [] }');
    assert.equal(await run('addToTrace', at('prose.txt')), undefined);
    assert.equal(await run('addToTrace', at('not-there.log')), undefined);
    assert.equal(await active(), trace);
    assert.equal(await run('openTrace', at('empty.irqsession')), undefined);
    await assert.rejects((await activate()).open(at('empty.irqsession')), /sources: at least one source was expected/);
    mkdirSync(join(folder, 'nothing'), { recursive: true });
    await assert.rejects((await activate()).open(at('nothing')), /the folder holds no file/);
    assert.equal(told(trace), trace.session.trace.length);
  });

  it('dropped files become one trace, and join the trace that they are dropped on', async () => {
    const { traces } = (await activate()).internals;
    const drop = (row: TraceRow | undefined, ...uris: vscode.Uri[]): Promise<void> => {
      const data = new vscode.DataTransfer();
      data.set('text/uri-list', new vscode.DataTransferItem(uris.map(String).join('\r\n')));
      return traces.drop(row, data);
    };
    await drop(undefined, at('kernel.txt'));
    const [row] = traces.getChildren();
    await drop(row, at('machine.log'));
    assert.deepEqual(names(await active()), ['kernel.txt', 'machine.log']);
    await closeAll();
    await drop(undefined, at('kernel.txt'), at('machine.log'));
    assert.deepEqual(names(await active()), ['kernel.txt', 'machine.log']);
  });
});
