// The keys act in the text of a trace, in the views of IRQScope and in the timeline, and nowhere else.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/paths.ts';
import { type Context, holds } from '../helpers/when.ts';

interface Binding {
  command: string;
  key: string;
  mac?: string;
  when: string;
}

const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  contributes: { keybindings: Binding[] };
};

/** The commands (without `irqscope.`) that a key runs in a context. */
const commandsOf = (key: string, context: Context): string[] =>
  contributes.keybindings
    .filter((binding) => binding.key === key && holds(binding.when, context))
    .map(({ command }) => command.slice('irqscope.'.length));

const keys = [...new Set(contributes.keybindings.map(({ key }) => key))];
const TRACE = { 'irqscope.active': true, 'irqscope.open': true, 'irqscope.selected': true };

// The keys as the editor sets them for the place that has the focus.
const EDITOR = { editorTextFocus: true, editorFocus: true, textInputFocus: true, inputFocus: true };
const text: Context = { ...TRACE, ...EDITOR, 'irqscope.traceEditor': true };
const view = (id: string): Context => ({ ...TRACE, focusedView: id, listFocus: true, sideBarFocus: true });
const timeline: Context = { ...TRACE, activeWebviewPanelId: 'irqscope.timeline' };
const list: Context = { ...TRACE, activeCustomEditorId: 'irqscope.trace', 'irqscope.traceEditor': true };
const listByChoice: Context = { ...list, activeCustomEditorId: 'irqscope.traceByChoice' };

const ELSEWHERE: Readonly<Record<string, Context>> = {
  'the text of another file': { ...TRACE, ...EDITOR },
  'the explorer while a trace is shown': {
    ...TRACE,
    focusedView: 'workbench.explorer.fileView',
    listFocus: true,
    'irqscope.traceEditor': true,
  },
  'a terminal while the timeline is shown': {
    ...TRACE,
    focusedView: 'terminal',
    terminalFocus: true,
    activeWebviewPanelId: 'irqscope.timeline',
  },
  'the output while a trace is shown': {
    ...TRACE,
    ...EDITOR,
    focusedView: 'workbench.panel.output',
    'irqscope.traceEditor': true,
  },
  'the message of a commit while a trace is shown': {
    ...TRACE,
    ...EDITOR,
    focusedView: 'workbench.scm',
    'irqscope.traceEditor': true,
  },
  'a quick pick over the timeline': {
    ...TRACE,
    inputFocus: true,
    inQuickOpen: true,
    activeWebviewPanelId: 'irqscope.timeline',
  },
  'the box of an editor of traces': { ...TRACE, inputFocus: true, activeCustomEditorId: 'irqscope.trace' },
  'the webview of another extension': { ...TRACE, activeWebviewPanelId: 'markdown.preview' },
  'a custom editor of another extension': { ...TRACE, activeCustomEditorId: 'hexEditor.hexedit' },
  'the settings': { ...TRACE, inputFocus: true, textInputFocus: true, inSettingsEditor: true },
};

describe('keys', () => {
  for (const [place, context] of Object.entries({
    text,
    view: view('irqscope.devices'),
    timeline,
    list,
    listByChoice,
  })) {
    it(`step forward and back in our ${place}`, () => {
      assert.deepEqual(commandsOf('f10', context), ['step']);
      assert.deepEqual(commandsOf('ctrl+f10', context), ['stepBack']);
      assert.deepEqual(commandsOf('alt+.', context), ['nextEventOfObject']);
      assert.deepEqual(commandsOf('alt+,', context), ['previousEventOfObject']);
    });
  }

  for (const [place, context] of Object.entries(ELSEWHERE)) {
    it(`do nothing in ${place}`, () => {
      for (const key of keys) assert.deepEqual(commandsOf(key, context), [], key);
    });
  }

  it('do nothing without a trace, and leave F10 to a debugger', () => {
    for (const place of [text, view('irqscope.cpus'), timeline, list]) {
      for (const key of keys) assert.deepEqual(commandsOf(key, { ...place, 'irqscope.active': false }), [], key);
      for (const key of keys.filter((name) => name.endsWith('f10')))
        assert.deepEqual(commandsOf(key, { ...place, inDebugMode: true }), [], key);
    }
  });

  it('copy what the view with the focus shows', () => {
    for (const id of ['domains', 'devices', 'cpus', 'interrupts'])
      assert.deepEqual(commandsOf('ctrl+c', view(`irqscope.${id}`)), ['copyValue'], id);
    assert.deepEqual(commandsOf('ctrl+c', view('irqscope.findings')), ['copyReport']);
    assert.deepEqual(commandsOf('ctrl+c', view('irqscope.path')), ['copyDelivery']);
    // Their rows are no objects: the object that is selected elsewhere is not meant.
    for (const id of ['comparison', 'traces', 'events'])
      assert.deepEqual(commandsOf('ctrl+c', view(`irqscope.${id}`)), [], id);
  });

  it('leave the context menu its key', () => {
    assert.deepEqual(
      contributes.keybindings.filter(({ key, mac }) => key === 'shift+f10' || mac === 'shift+f10'),
      [],
    );
  });

  it('type into the filter of a view', () => {
    const filter = { ...view('irqscope.devices'), inputFocus: true, listFocus: false };
    for (const key of ['alt+.', 'alt+,', 'ctrl+c', 'ctrl+home', 'ctrl+end'])
      assert.deepEqual(commandsOf(key, filter), [], key);
  });
});

describe('when clauses in tests', () => {
  it('mean what the editor makes of them', () => {
    const context = { a: true, b: 'x.y', n: 2 };
    for (const clause of ['a', '!c', 'a && b == x.y', 'c || a', "b == 'x.y'", 'b =~ /^X\\.y$/i', 'n == 2', '!(c && a)'])
      assert.equal(holds(clause, context), true, clause);
    for (const clause of ['c', 'a && c', 'b != x.y', 'c =~ /./', 'b =~ /^X/', '!a || c && a', 'false'])
      assert.equal(holds(clause, context), false, clause);
    assert.throws(() => holds('a &&', context));
    assert.throws(() => holds('(a', context));
  });
});
