// *Open Trace…* is offered for files that can be traces, by name or language, and once in each menu.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/paths.ts';
import { type Context, holds } from '../helpers/when.ts';

interface Item {
  command: string;
  when?: string;
}

const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  contributes: { menus: Record<string, Item[]>; commands: { command: string; enablement?: string }[] };
};

const offers = (menu: string, context: Context): number =>
  contributes.menus[menu]!.filter((item) => item.command === 'irqscope.openTrace' && holds(item.when, context)).length;

const named = (name: string, more: Context = {}): Context => ({
  resourceFilename: name,
  resourceScheme: 'file',
  resourceLangId: 'plaintext',
  ...more,
});

const TRACES = [
  'qemu.log',
  'QEMU.LOG',
  'qemu.log.1',
  'trace',
  'trace.1',
  'trace_pipe',
  'trace.txt',
  'report.out',
  'boot.ftrace',
  'a.trace',
  'run.irqtrace',
  'log.qemu-trace',
  'packed.gz',
  'qemu.log.gz',
  'trace.gz',
  'trace.txt.zst',
  'guest-6.12.zstd',
  'kit.tar',
  'kit.tar.gz',
  'kit.tgz',
  'captures.zip',
  'boot.irqsession',
];
const OTHERS = [
  'main.c',
  'notes.md',
  'package.json',
  'first.scenario.json',
  'backtrace',
  'trace.c',
  'traced',
  'mytrace_pipe.h',
  'disk.img.zst',
  'driver.ko.gz',
  'irq.7.gz',
  'catalog',
  'a.logic',
  'picture.png',
];

describe('menus', () => {
  for (const menu of ['explorer/context', 'editor/title/context']) {
    it(`${menu} offers Open Trace for files that can be traces`, () => {
      for (const name of TRACES) assert.equal(offers(menu, named(name)), 1, name);
      for (const language of ['qemu-trace', 'ftrace', 'dmesg', 'irqtrace', 'lspci'])
        assert.equal(offers(menu, named('anything', { resourceLangId: language })), 1, language);
    });

    it(`${menu} offers it for nothing else`, () => {
      for (const name of OTHERS) assert.equal(offers(menu, named(name)), 0, name);
    });

    it(`${menu} has one entry for it`, () => {
      assert.equal(contributes.menus[menu]!.filter((item) => item.command === 'irqscope.openTrace').length, 1);
    });
  }

  it('of the rows of Findings suppress what is told, and tell again what is suppressed', () => {
    const of = (viewItem: string): string[] =>
      contributes.menus['view/item/context']!.filter((item) =>
        holds(item.when, { view: 'irqscope.findings', viewItem }),
      )
        .map((item) => item.command.replace('irqscope.', ''))
        .sort();
    const both = ['copyReport', 'copyReport', 'goToFindingRow'];
    assert.deepEqual(of('finding'), [...both, 'suppressFinding', 'suppressFinding']);
    assert.deepEqual(of('finding suppressed'), [...both, 'stopSuppressingRow', 'stopSuppressingRow']);
    assert.deepEqual(of('evidence'), ['goToFindingRow']);
    assert.deepEqual(of('suppressed'), []);
  });

  it('of the rows of Interrupts inject what can be done to them', () => {
    const of = (viewItem: string): string[] =>
      contributes.menus['view/item/context']!.filter((item) =>
        holds(item.when, { view: 'irqscope.interrupts', viewItem }),
      ).map((item) => item.command.replace('irqscope.', ''));
    const injects = (viewItem: string): string[] => of(viewItem).filter((name) => name.startsWith('inject'));
    assert.deepEqual(injects('interrupt entry.mask device.raise'), ['injectMask', 'injectRaise', 'inject']);
    assert.deepEqual(injects('object irq.affinity'), ['inject']);
    for (const none of ['interrupt', 'object', 'never']) assert.deepEqual(injects(none), []);
    assert.deepEqual(of('interrupt entry.mask').slice(0, 2), ['showPath', 'showLanes']);
  });

  it('of rows have an ellipsis where the command asks, and none where it does not', () => {
    const titles = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
    const asks = contributes.menus['view/item/context']!.filter(({ command }) =>
      titles[`command.${command.replace('irqscope.', '')}`]!.endsWith('…'),
    );
    // Each of these asks for something that a row cannot tell: a seed, a name, a policy, an operation, another trace, a place for a file, a source.
    assert.deepEqual([...new Set(asks.map(({ command }) => command.replace('irqscope.', '')))].sort(), [
      ...[
        'addToTrace',
        'changePolicy',
        'changeSeed',
        'compareBranches',
        'comparePolicy',
        'compareWith',
        'exportScenario',
        'inject',
      ],
      ...['renameBranch', 'saveSession', 'saveTraceAs', 'setClockOffset', 'setSystem'],
    ]);
  });

  it('of sources say what can be changed of each', () => {
    const of = (viewItem: string): string[] =>
      contributes.menus['view/item/context']!.filter((item) => holds(item.when, { view: 'irqscope.traces', viewItem }))
        .map((item) => item.command.replace('irqscope.', ''))
        .sort();
    assert.deepEqual(of('source'), ['removeSourceRow', 'removeSourceRow', 'setClockOffset', 'setSystem']);
    assert.deepEqual(of('system'), ['setSystem', 'setSystem']);
    assert.deepEqual(of('offset'), ['setClockOffset', 'setClockOffset']);
    assert.deepEqual(of('left'), ['removeSourceRow']);
    assert.deepEqual(of('part'), []);
    assert.ok(of('trace file').includes('setSystem') && !of('trace file joined').includes('setSystem'));
    assert.ok(of('trace file').includes('follow') && of('trace file joined').includes('follow'));
    assert.ok(!of('trace file').includes('unfollow'));
    assert.ok(of('trace file followed').includes('unfollow') && !of('trace file followed').includes('follow'));
    for (const command of ['addToTrace', 'saveSession']) {
      assert.ok(of('trace file joined recipe').includes(command));
      assert.ok(!of('trace branch scenario').includes(command));
    }
  });

  it('of the explorer join files and folders to an open trace, and open folders', () => {
    const of = (context: Context): string[] =>
      contributes.menus['explorer/context']!.filter((item) => holds(item.when, context)).map(({ command }) => command);
    const folder = { resourceFilename: 'run', resourceScheme: 'file', explorerResourceIsFolder: true };
    assert.deepEqual(of(folder), ['irqscope.openFolder']);
    assert.deepEqual(of({ ...folder, 'irqscope.file': true }), ['irqscope.openFolder', 'irqscope.addToTrace']);
    assert.deepEqual(of(named('kit.tar.gz', { 'irqscope.file': true })), ['irqscope.openTrace', 'irqscope.addToTrace']);
    assert.deepEqual(of(named('main.c', { 'irqscope.file': true })), []);
  });

  it('offer no folder, and no text of a simulated run, which is open already', () => {
    assert.equal(offers('explorer/context', named('trace', { explorerResourceIsFolder: true })), 0);
    const run = named('first-run.irqtrace', { resourceScheme: 'irqscope-run', resourceLangId: 'irqtrace' });
    for (const menu of ['editor/title', 'editor/title/context']) assert.equal(offers(menu, run), 0, menu);
    assert.equal(offers('editor/title', named('qemu.log', { resourceLangId: 'qemu-trace' })), 1);
    assert.equal(
      offers('editor/title', named('qemu.log', { resourceLangId: 'qemu-trace', 'irqscope.traceEditor': true })),
      0,
    );
  });

  it('of the rows of Traces are about the trace of the row, whichever is the active one', () => {
    // Enablement greys a command out in every menu: it may not ask for what only the active trace is.
    const ofActive = ['file', 'joined', 'simulated', 'scenario', 'recipe', 'selected'].map((key) => `irqscope.${key}`);
    const enablement = new Map(contributes.commands.map((one) => [one.command, one.enablement ?? '']));
    const rows = contributes.menus['view/item/context']!.filter(({ when }) => when?.includes('irqscope.traces'));
    assert.ok(rows.length > 20);
    for (const { command } of rows) assert.ok(!ofActive.some((key) => enablement.get(command)!.includes(key)), command);
    // In the palette they are about the active trace.
    for (const name of ['addToTrace', 'setSystem', 'saveSession', 'runAll', 'resetSimulation', 'changeSeed']) {
      const shown = (context: Context): boolean =>
        contributes.menus['commandPalette']!.some(
          ({ command, when }) => command === `irqscope.${name}` && holds(when, context),
        );
      assert.equal(shown({ 'irqscope.open': true, 'irqscope.active': true }), false, name);
      const all = { 'irqscope.file': true, 'irqscope.simulated': true, 'irqscope.scenario': true };
      assert.equal(shown({ 'irqscope.open': true, 'irqscope.active': true, ...all }), true, name);
    }
  });
});
