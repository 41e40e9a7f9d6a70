// What can be opened and what cannot, and how reading goes on.
import assert from 'node:assert/strict';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as vscode from 'vscode';
import { patient } from '../../scripts/test/patience.ts';
import { fixtureBytes } from '../helpers/fixtures.ts';
import {
  activate,
  closeAll,
  EVENTS,
  eventually,
  example,
  exampleLines,
  run,
  textsAtRest,
  useFolder,
} from './helper.ts';

const tabs = (): vscode.Tab[] => vscode.window.tabGroups.all.flatMap((group) => [...group.tabs]);

describe('files', () => {
  const file = useFolder();
  before(closeAll);
  afterEach(closeAll);

  it('reads gzip and zstd', async () => {
    const plain = Buffer.from(exampleLines(), 'latin1');
    for (const [name, bytes] of [
      ['packed.log.gz', gzipSync(plain)],
      ['packed.log.zst', zstdCompressSync(plain)],
      ['no-suffix', gzipSync(plain)],
    ] as const) {
      await (await activate()).open(file(name, bytes));
      assert.equal((await activate()).active?.events, EVENTS, name);
    }
    // The text of a packed file cannot be shown; that must not disturb anything.
    assert.equal(await run('openTrace', file('again.gz', gzipSync(plain))), EVENTS - 1);
    await run('revealLine', file('again.gz', gzipSync(plain)), 5);
  });

  it('reads trace.dat, plain and packed; its events are shown, not its text', async () => {
    const bytes = fixtureBytes('x86-vtd/trace.dat');
    for (const [name, content] of [
      ['trace.dat', bytes],
      ['trace.dat.gz', gzipSync(bytes)],
    ] as const) {
      const uri = file(name, content);
      assert.equal(await run('openTrace', uri), 9877, name);
      const { active, internals } = await activate();
      assert.equal(active?.events, 9878);
      assert.equal(internals.sessions.active?.load, 'ready');
      await run('revealLine', uri, 5);
      await eventually(() => {
        const shown = tabs().filter(({ label }) => label === name);
        assert.deepEqual(
          shown.map(({ input }) => input instanceof vscode.TabInputCustom && input.viewType),
          ['irqscope.trace'],
        );
      });
    }
  });

  it('a trace.dat that the explorer opens is a trace; other .dat files are left alone', async () => {
    const { internals } = await activate();
    const uri = file('trace-guest.dat', fixtureBytes('x86-vtd/trace.dat'));
    await vscode.commands.executeCommand('vscode.open', uri);
    await eventually(() => assert.equal(internals.sessions.active?.uri.toString(), uri.toString()));
    const text = file('table.dat', '1 2 3\n');
    await vscode.commands.executeCommand('vscode.open', text);
    await eventually(() => assert.ok(tabs().some(({ input }) => input instanceof vscode.TabInputText)));
    assert.equal(internals.sessions.all.length, 1);
  });

  it('the trace of an editor that comes up is the active one, also when it was open already', async () => {
    const { internals } = await activate();
    const uri = file('trace-again.dat', fixtureBytes('x86-vtd/trace.dat'));
    await run('openTrace', uri);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await run('openTrace', example());
    const isShown = ({ document }: vscode.TextEditor): boolean => document.uri.toString() === example().toString();
    await eventually(() => assert.ok(vscode.window.visibleTextEditors.some(isShown)));
    await textsAtRest();
    assert.equal(internals.sessions.active?.uri.toString(), example().toString());
    await vscode.commands.executeCommand('vscode.open', uri);
    await eventually(() => assert.equal(internals.sessions.active?.uri.toString(), uri.toString()));
    // An archive opens in the same editor by choice.
    const packed = file('trace-again.dat.gz', gzipSync(fixtureBytes('x86-vtd/trace.dat')));
    await vscode.commands.executeCommand('vscode.openWith', packed, 'irqscope.traceByChoice');
    await eventually(() => assert.equal(internals.sessions.active?.uri.toString(), packed.toString()));
  });

  it('a file that only has the name of a trace.dat says so, and opens as text', async () => {
    const { internals } = await activate();
    const uri = file('trace.dat', 'no trace\n');
    await vscode.commands.executeCommand('vscode.open', uri);
    await eventually(() => assert.ok(tabs().some(({ input }) => input instanceof vscode.TabInputCustom)));
    assert.equal(internals.sessions.all.length, 0);
    await run('reopenAsText', uri.toString());
    await eventually(() => {
      const { activeTab } = vscode.window.tabGroups.activeTabGroup;
      assert.ok(activeTab?.input instanceof vscode.TabInputText && activeTab.label === 'trace.dat');
    });
  });

  it('says what is wrong with files that are no traces, and stays usable', async () => {
    const api = await activate();
    const bad: [string, string | Uint8Array, RegExp][] = [
      ['empty.log', '', /empty/],
      ['garbage.log', Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 251), /expected/],
      ['prose.txt', 'Dear list,\nthe interrupt is lost.\n', /expected/],
      ['cut.gz', gzipSync(exampleLines()).subarray(0, 5), /./],
    ];
    for (const [name, content, message] of bad) {
      const uri = file(name, content);
      await assert.rejects(api.open(uri), message, name);
      assert.equal(await run('openTrace', uri), undefined, name);
      assert.equal(api.active, undefined, name);
    }
    // Nothing of them is opened as text, neither now nor a moment later.
    await new Promise((done) => setTimeout(done, 500));
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs.map(({ label }) => label));
    assert.deepEqual(tabs, []);
    await assert.rejects(api.open(vscode.Uri.file('/no/such/file.log')), /no such file|ENOENT/);
    await api.open(example());
    assert.equal(api.active?.events, EVENTS);
  });

  it('keeps what stands before the damage in a packed file', async () => {
    const packed = gzipSync(exampleLines());
    await (await activate()).open(file('damaged.gz', packed.subarray(0, packed.length >> 1)));
    const { internals, active } = await activate();
    assert.ok(active!.events > 1000 && active!.events < EVENTS, `${active!.events} events`);
    const parts = internals.traces.getChildren(internals.traces.getChildren()[0]);
    assert.equal(parts[0]?.name, 'problem');
    const tooltip = internals.traces.getTreeItem(parts[0]!).tooltip;
    assert.match(String(tooltip), /^Problem: the gzip data .*\n\nThe source is damaged/);
    const [top] = internals.traces.getChildren();
    assert.match(top!.description, /· damaged ·/);
    assert.equal(top!.icon, 'warning');
  });

  it('reads a file only once, and again when it has changed', async () => {
    const { internals, open } = await activate();
    const uri = file('growing.log', exampleLines(1, 3000));
    await open(uri);
    const first = internals.sessions.active;
    await Promise.all([open(uri), open(uri)]);
    assert.equal(internals.sessions.active, first);
    file('growing.log', exampleLines(1, 4000));
    await open(uri);
    assert.notEqual(internals.sessions.active, first);
    assert.equal(internals.sessions.all.length, 1);
  });

  it('reads virtual files through the editor', async () => {
    const bytes = Buffer.from(exampleLines(1, 6000), 'latin1');
    const provider = new (class implements vscode.FileSystemProvider {
      onDidChangeFile: vscode.Event<vscode.FileChangeEvent[]> = new vscode.EventEmitter<vscode.FileChangeEvent[]>()
        .event;
      stat = (): vscode.FileStat => ({ type: vscode.FileType.File, ctime: 0, mtime: 1, size: bytes.length });
      readFile = (): Uint8Array => bytes;
      watch = (): vscode.Disposable => new vscode.Disposable(() => undefined);
      readDirectory = (): [] => [];
      createDirectory = (): void => undefined;
      writeFile = (): void => undefined;
      delete = (): void => undefined;
      rename = (): void => undefined;
    })();
    const registered = vscode.workspace.registerFileSystemProvider('irqtest', provider, { isReadonly: true });
    try {
      await (await activate()).open(vscode.Uri.parse('irqtest:/captures/virtual.log'));
      assert.ok((await activate()).active!.events > 5000);
    } finally {
      await closeAll();
      registered.dispose();
    }
  });
});

describe('a long trace', () => {
  const file = useFolder();
  let uri: vscode.Uri;
  before(function () {
    this.timeout(60_000);
    uri = file('long.log', exampleLines().repeat(24));
  });
  beforeEach(closeAll);

  it('can be used while it is read, and reading can be stopped', async () => {
    const { internals, open } = await activate();
    const { sessions } = internals;
    const reading = open(uri);
    await eventually(() => assert.ok((sessions.active?.session.trace.length ?? 0) > 50_000));
    const trace = sessions.active!;
    assert.equal(trace.load, 'loading');
    assert.ok(trace.session.cursor > 1000, 'the cursor runs along with what is read');
    assert.equal(await run('goToStep', 4672), 4672);
    const devices = internals.views.find((view) => view.name === 'devices')!;
    assert.ok(devices.getChildren().length > 3);
    const { label, description } = internals.traces.getChildren()[0]!;
    assert.equal(label, 'long.log');
    assert.match(description, /reading \d+ %/);
    await run('cancelOpening', uri);
    await reading;
    assert.equal(trace.load, 'stopped');
    assert.equal(trace.session.cursor, 4672, 'who has moved stays there');
    assert.ok(trace.session.trace.length < 23 * EVENTS);
    await open(uri);
    assert.equal(sessions.active?.load, 'ready');
    const { length } = sessions.active.session.trace;
    assert.ok(length > 23 * EVENTS, `${length} events`);
    assert.equal(sessions.active?.session.cursor, length - 1);
    assert.equal(sessions.all.length, 1);
  }).timeout(60_000);

  it('lets the extension host do other things while it is read', async () => {
    const { open } = await activate();
    const reading = open(uri);
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const started = performance.now();
    await reading;
    clearInterval(timer);
    console.log(`${((performance.now() - started) / 1000).toFixed(2)} s, longest pause ${longest.toFixed(0)} ms`);
    assert.ok(longest < patient(500), `${longest} ms`);
    const steps = performance.now();
    await run('goToStep', 400_000);
    for (let i = 0; i < 100; i++) await run('step');
    console.log(`step: ${((performance.now() - steps) / 100).toFixed(2)} ms`);
  }).timeout(60_000);

  it('closing it ends the reading', async () => {
    const { internals, open } = await activate();
    const reading = open(uri);
    await eventually(() => assert.ok(internals.sessions.active));
    await run('closeTrace');
    await reading;
    assert.equal(internals.sessions.all.length, 0);
  }).timeout(60_000);
});
