// One open trace: the example capture, its state, the rows and badges of the views, and the commands that move about in it.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { patient } from '../../scripts/test/patience.ts';
import {
  activate,
  active,
  closeAll,
  ENTRY,
  EVENTS,
  eventually,
  example,
  labelOf,
  rowOf,
  run,
  UNMASK,
} from './helper.ts';

describe('a trace', () => {
  before(async () => {
    await closeAll();
    await run('openTrace', example());
  });
  after(closeAll);

  it('is read whole and stands at its last event', async () => {
    const api = await activate();
    assert.equal(api.active?.uri.toString(), example().toString());
    assert.equal(api.active?.events, EVENTS);
    assert.equal(api.active?.step, EVENTS - 1);
    assert.equal((await active()).load, 'ready');
  });

  it('goes to times, lines and steps, and refuses what is not there', async () => {
    assert.equal(await run('goToTime', UNMASK.time), UNMASK.step);
    assert.equal(await run('goToLine', UNMASK.line - 1), UNMASK.step - 1);
    assert.equal(await run('goToStep', UNMASK.step), UNMASK.step);
    assert.equal(await run('goToStep', EVENTS), undefined);
    assert.equal((await active()).session.cursor, UNMASK.step);
  });

  it('steps forward and back', async () => {
    await run('goToStep', UNMASK.step);
    assert.equal(await run('stepBack'), UNMASK.step - 1);
    assert.equal(await run('step'), UNMASK.step);
    assert.equal(await run('firstEvent'), 0);
    assert.equal(await run('stepBack'), -1);
    assert.equal(await run('stepBack'), undefined);
    assert.equal(await run('lastEvent'), EVENTS - 1);
    assert.equal(await run('step'), undefined);
  });

  it('finds the events of an object', async () => {
    await run('goToStep', UNMASK.step);
    const next = await run<number>('nextEventOfObject', ENTRY);
    assert.ok(next > UNMASK.step);
    assert.equal(await run('previousEventOfObject', `${ENTRY}/control.mask`), UNMASK.step);
  });

  it('copies state, value and path', async () => {
    await run('goToStep', UNMASK.step);
    const state = JSON.parse(await run<string>('copyState')) as {
      device: Record<string, { msix: Record<string, { control: { fields: { mask: boolean } } }> }>;
    };
    assert.equal(state.device['0000:00:03.0']?.msix['0']?.control.fields.mask, false);
    assert.equal(await run('copyValue', `${ENTRY}/address`), '0xfee00298');
    assert.equal(await run('copyValue', `${ENTRY}/control.mask`), 'false');
    assert.equal(await run('copyPath', `${ENTRY}/data`), `${ENTRY}/data`);
    assert.equal(await vscode.env.clipboard.readText(), `${ENTRY}/data`);
  });

  it('reveals the line that wrote a value', async () => {
    await run('goToStep', UNMASK.step + 50);
    assert.equal(await run('goToStep', UNMASK.step + 20), UNMASK.step + 20);
    assert.equal(await run('revealWrite', `${ENTRY}/control`), UNMASK.line);
    const editor = vscode.window.activeTextEditor;
    assert.equal(editor?.document.uri.toString(), example().toString());
    assert.equal(editor?.selection.active.line, UNMASK.line - 1);
  });

  it('shows rows with badges for what the step changed', async () => {
    // Devices is folded at first; a view that is not on the screen marks nothing.
    await vscode.commands.executeCommand('irqscope.devices.focus');
    await run('goToStep', UNMASK.step);
    const { internals } = await activate();
    const mask = await rowOf('devices', `${ENTRY}/control.mask`);
    assert.equal(labelOf(mask.item), 'mask: 0 unmasked');
    assert.equal(mask.item.description, 'was 1 masked');
    assert.deepEqual(mask.item.label, { label: 'mask: 0 unmasked', highlights: [[6, 16]] });
    // The editor is told a moment after the step.
    const badge = (): string | undefined => internals.marks.provideFileDecoration(mask.item.resourceUri!)?.badge;
    await eventually(() => assert.equal(badge(), 'M'));
    const other = await rowOf('devices', 'device/0000:00:03.0/msix/1');
    assert.equal(internals.marks.provideFileDecoration(other.item.resourceUri!), undefined);
    await run('step');
    await eventually(() => assert.equal(badge(), undefined));
  });

  it('has rows with an id, a parent, something to say aloud, and a tooltip on demand', async () => {
    await run('goToStep', UNMASK.step);
    const { internals } = await activate();
    const seen = new Set<string>();
    for (const view of internals.views) {
      const walk = (row?: Parameters<typeof view.getTreeItem>[0], depth = 0): void => {
        for (const child of view.getChildren(row)) {
          const item = view.getTreeItem(child);
          assert.ok(item.id && !seen.has(`${view.name} ${item.id}`), `${item.id} twice in ${view.name}`);
          seen.add(`${view.name} ${item.id}`);
          assert.equal(view.getParent(child), row);
          assert.ok(item.accessibilityInformation?.label);
          assert.equal(item.tooltip, undefined);
          const { tooltip } = view.resolveTreeItem(item, child);
          assert.ok(tooltip instanceof vscode.MarkdownString && tooltip.value !== '' && !tooltip.isTrusted);
          if (depth < 4) walk(child, depth + 1);
        }
      };
      walk();
    }
    assert.ok(seen.size > 200, `${seen.size} rows`);
  });

  it('shows only what changed, on demand', async () => {
    await run('goToStep', UNMASK.step);
    const devices = (await activate()).internals.views.find((view) => view.name === 'devices')!;
    const all = devices.getChildren().length;
    await run('toggleUnchanged');
    assert.deepEqual(
      devices.getChildren().map((row) => row.path),
      ['device/0000:00:03.0'],
    );
    await run('toggleUnchanged');
    assert.equal(devices.getChildren().length, all);
  });

  it('accounts for every line in the view Traces', async () => {
    const { traces } = (await activate()).internals;
    const [row] = traces.getChildren();
    const parts = Object.fromEntries(traces.getChildren(row).map((part) => [part.name, part.description]));
    assert.equal(parts['records'], '34,835 in 34,835 lines');
    assert.equal(parts['understood'], '34,835');
    assert.equal(parts['skipped'], '0');
    assert.match(
      traces.getTreeItem(row!).description as string,
      new RegExp(`^active · ${EVENTS.toLocaleString('en')} events$`),
    );
  });

  it('goes by the API', async () => {
    const api = await activate();
    assert.equal(api.moveTo(UNMASK.step), true);
    assert.equal(api.active?.step, UNMASK.step);
    assert.equal(api.moveTo(-5), false);
    await api.open(example(), { line: UNMASK.line + 1, object: ENTRY });
    assert.equal(api.active?.step, UNMASK.step + 1);
    assert.equal((await active()).session.selection, ENTRY);
    await api.open(example(), { time: UNMASK.time });
    assert.equal(api.active?.step, UNMASK.step);
  });

  it('takes its address as text and as JSON, as links give it', async () => {
    assert.equal(await run('step', example().toString()), UNMASK.step + 1);
    assert.equal(await run('stepBack', example().toJSON()), UNMASK.step);
    assert.equal(await run('openTrace', example().fsPath, { step: 7 }), 7);
  });

  it('stepping is quick', async () => {
    await run('goToStep', 1000);
    const started = performance.now();
    for (let i = 0; i < 200; i++) await run('step');
    const each = (performance.now() - started) / 200;
    console.log(`step: ${each.toFixed(2)} ms`);
    assert.ok(each < patient(50), `${each} ms`);
  });

  it('that was closed does not become the active one again', async () => {
    const { sessions } = (await activate()).internals;
    const trace = await active();
    await run('closeTrace', trace.uri);
    sessions.activate(trace);
    assert.equal(sessions.active, undefined);
  });
});
