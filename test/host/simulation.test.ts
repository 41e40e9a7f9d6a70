// Simulated runs in the editor: started, stepped, branched, saved and opened again by the commands that people use.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { policies } from '../../src/sim/design.ts';
import type { OpenTrace } from '../../src/vscode/sessions.ts';
import {
  activate,
  active,
  closeAll,
  ENTRY,
  eventually,
  example,
  labelOf,
  rowOf,
  run,
  UNMASK,
  useFolder,
  whileRepeating,
} from './helper.ts';

const MSIX = 'device/0000:03:00.0/msix/1';
const SCENARIO = {
  title: 'Two vectors',
  description: 'A function with two vectors; cause after cause in the second.',
  devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }],
  workload: [{ at: '100us', op: 'device.raise', object: MSIX, every: '20us', times: 5 }],
};

const kindAt = ({ session }: OpenTrace, step: number = session.cursor): string => session.trace.table.kind(step).name;

async function textOf(trace: OpenTrace): Promise<string[]> {
  return (await vscode.workspace.openTextDocument(trace.uri)).getText().split('\n');
}

describe('simulated runs', () => {
  const file = useFolder();
  beforeEach(closeAll);

  it('start from a scenario, grow by steps, and show their text', async () => {
    assert.equal(await run('startSimulation', SCENARIO, 7), 0);
    const trace = await active();
    assert.equal(trace.label, 'Two vectors');
    assert.equal(trace.branch?.recipe?.seed, 7);
    const last = await run<number>('lastEvent');
    assert.equal(await run('step'), last + 1);
    assert.ok(trace.session.growing);
    assert.equal(await run('stepBack'), last);
    const length = trace.session.trace.length;
    await eventually(async () => {
      const lines = await textOf(trace);
      assert.equal(lines[0], '#irqtrace 1');
      assert.equal(lines.length, length + 3);
      assert.equal((await vscode.workspace.openTextDocument(trace.uri)).languageId, 'irqtrace');
    });
    assert.equal(trace.session.trace.table.line(last), last + 3);
  });

  it('compare the values of a policy on a page', async () => {
    await run('startSimulation', 'chain-hypercall', 1);
    const text = await run<string>('comparePolicy', 'guest.delivery');
    assert.match(
      text,
      /^# A hypercall domain between vector domain and bus domain: guest\.delivery\n\nposted is fastest/,
    );
    await eventually(async () => {
      const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
      const shown = tabs.find(({ label }) => label.includes('guest.delivery'));
      assert.ok(shown, tabs.map(({ label }) => label).join(', '));
      // As a page, not as its Markdown source, also when nothing has used the Markdown extension before.
      assert.ok(shown.input instanceof vscode.TabInputWebview, shown.label);
    });
  });

  it('run to a kind of event, to a change, and to their end', async () => {
    await run('startSimulation', SCENARIO, 1);
    const trace = await active();
    const raise = await run<number>('runTo', { to: 'kind', kind: 'dev.raise' });
    assert.equal(kindAt(trace, raise), 'dev.raise');
    const changed = await run<number>('runTo', { to: 'change', path: `${MSIX}/raises` });
    assert.ok(changed > raise);
    const end = await run<number>('runAll');
    assert.equal(end, trace.session.trace.length - 1);
    assert.equal(trace.session.growing, false);
    assert.equal(await run('step'), undefined);
    assert.equal(await run('resetSimulation'), 0);
    assert.ok((await active()).session.trace.length < end);
    assert.equal((await active()).uri.toString(), trace.uri.toString());
  });

  it('branch when an operation is injected before the end; the view Traces shows the tree', async () => {
    await run('startSimulation', SCENARIO, 1);
    const root = await active();
    await run('runAll');
    const { length } = root.session.trace;
    await run('firstEvent');
    const step = await run<number>('runTo', { to: 'kind', kind: 'dev.raise' });
    const masked = await run<number>('injectMask', MSIX);
    const child = await active();
    assert.notEqual(child, root);
    assert.equal(kindAt(child, masked), 'tbl.write');
    assert.equal(root.session.trace.length, length);
    assert.equal(root.session.cursor, step);
    const { traces } = (await activate()).internals;
    await eventually(() => {
      const [top] = traces.getChildren();
      assert.equal(top?.trace, root);
      const [below] = traces.getChildren(top);
      assert.equal(below?.trace, child);
      assert.equal(below?.label, 'Mask 0000:03:00.0/msix/1');
      assert.match(String(traces.getTreeItem(below!).contextValue), /^trace branch scenario$/);
    });
    assert.equal(await run('renameBranch', child.uri, 'with mask'), 'with mask');
    assert.equal(child.label, 'with mask');
    assert.equal(await run('compareBranches', child.uri, root.uri), 'Two vectors ↔ with mask');
    await run('switchTrace', root.uri);
    assert.equal((await active()).session.trace.length, length);
  });

  it('do not change when an operation is refused', async () => {
    await run('startSimulation', SCENARIO, 1);
    const trace = await active();
    const { length } = trace.session.trace;
    assert.equal(await run('inject', { op: 'device.raise', object: 'device/0000:07:00.0/msix/0' }), undefined);
    assert.equal((await active()).session.trace.length, length);
    assert.equal((await activate()).internals.sessions.all.length, 1);
  });

  it('ask for operation and arguments, with the ones that fit the selected object first', async () => {
    await run('startSimulation', SCENARIO, 1);
    await run('runAll');
    await run('showObject', 'device/0000:03:00.0');
    const given = run<number>('inject', 'device.command');
    // Both flags have a default, which is listed first.
    const step = await whileRepeating('workbench.action.acceptSelectedQuickOpenItem', given);
    const trace = await active();
    assert.equal(kindAt(trace, step), 'cfg.write');
    assert.deepEqual(trace.branch?.operations, [
      { op: 'device.command', object: 'device/0000:03:00.0', memory: true, busMaster: true },
    ]);
    const chosen = run<number>('inject');
    assert.equal(await whileRepeating('workbench.action.closeQuickOpen', chosen), undefined);
    assert.equal(trace.branch?.operations.length, 1);
  });

  it('offer on a row the operations that fit it', async () => {
    await run('startSimulation', SCENARIO, 1);
    await run('runAll');
    const { item } = await rowOf('devices', MSIX);
    assert.match(String(item.contextValue), /^object .*\bdevice\.raise\b.*\bentry\.mask\b/);
    const device = await rowOf('devices', 'device/0000:03:00.0');
    assert.match(String(device.item.contextValue), /^object .*\bdevice\.command\b/);
    assert.doesNotMatch(String(device.item.contextValue), /entry\.mask/);
  });

  it('are saved with their recipe, opened again and resumed to the same state', async () => {
    await run('startSimulation', SCENARIO, 5);
    await run('runAll');
    await run('inject', { op: 'device.raise', object: 'device/0000:03:00.0/msix/0' });
    await run('runAll');
    const trace = await active();
    const state = await run<string>('copyState');
    const target = file('saved.irqtrace', '');
    assert.ok(await run('saveTraceAs', trace.uri, target));
    const text = readFileSync(target.fsPath, 'utf8');
    assert.match(text, /^#seed 5$/m);
    assert.match(text, /^#operation \d+ \{"op":"device.raise"/m);
    await closeAll();
    await run('openTrace', target);
    await run('lastEvent');
    assert.equal(await run('copyState'), state);
    assert.equal((await active()).branch, undefined);
    const reached = await run<number>('resumeSimulation');
    const resumed = await active();
    assert.ok(resumed.branch);
    assert.equal(reached, resumed.session.trace.length - 1);
    assert.equal(await run('copyState'), state);
  });

  it('are exported as a scenario whose workload holds the operations', async () => {
    await run('startSimulation', SCENARIO, 1);
    await run('runAll');
    await run('inject', { op: 'entry.mask', object: MSIX });
    const target = file('exported.scenario.json', '');
    assert.ok(await run('exportScenario', (await active()).uri, target));
    const { workload } = JSON.parse(readFileSync(target.fsPath, 'utf8')) as { workload: { op: string; at: number }[] };
    assert.deepEqual(
      workload.map(({ op }) => op),
      ['device.raise', 'entry.mask'],
    );
    await run('startSimulation', target);
    const end = await run<number>('runAll');
    assert.equal(kindAt(await active(), end), 'tbl.write');
  });

  it('with another seed stand beside the first', async () => {
    await run('startSimulation', SCENARIO, 1);
    const first = await active();
    assert.equal(await run('changeSeed', 9), 0);
    assert.equal((await active()).branch?.recipe?.seed, 9);
    assert.ok((await activate()).internals.sessions.all.includes(first));
  });

  it('of another design stand beside the first, without its operations', async () => {
    assert.equal(await run('startSimulation', SCENARIO, 3), 0);
    await run('inject', { op: 'device.raise', object: MSIX });
    const [policy] = [...policies.values()];
    const value = policy?.values.at(-1)?.value;
    assert.ok(policy && value);
    assert.equal(await run('changePolicy', policy.name, value), 0);
    const { recipe } = (await active()).branch ?? {};
    assert.deepEqual(recipe?.settings, { [policy.name]: value });
    assert.deepEqual([recipe?.seed, recipe?.operations], [3, []]);
  });

  it('leave *Open Trace…* working while their text is the active one', async () => {
    // The dialog of the editor itself, also where the system has one.
    await vscode.workspace.getConfiguration('files').update('simpleDialog.enable', true, true);
    await run('startSimulation', SCENARIO, 1);
    const { uri } = await active();
    await vscode.window.showTextDocument(uri, { preserveFocus: false });
    await eventually(() => assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), uri.toString()));
    assert.equal(await whileRepeating('workbench.action.closeQuickOpen', run('openTrace')), undefined);
    // The menu of its editor names its text; so does the text that a comparison shows.
    await run('openTrace', example());
    assert.equal(await run('openTrace', uri), (await active()).session.cursor);
    assert.equal((await active()).uri.toString(), uri.toString());
    const compared = vscode.Uri.from({
      scheme: uri.scheme,
      path: `/${(await active()).id + 1}/x86-vtd-qemu.log.irqtrace`,
    });
    await run('openTrace', compared);
    assert.equal((await active()).uri.toString(), example().toString());
    await run('closeTrace', uri);
    assert.equal(await whileRepeating('workbench.action.closeQuickOpen', run('openTrace', uri)), undefined);
  });

  it('start by the id of a scenario that comes with IRQScope', async () => {
    assert.equal(await run('startSimulation', 'first-run'), 0);
    assert.ok((await run<number>('runAll')) > 20);
    assert.ok((await active()).branch?.recipe);
  });
});

describe('what-if on a capture', () => {
  before(async () => {
    await closeAll();
    await run('openTrace', example());
  });
  after(closeAll);

  it('offers only what can be told from a trace', async () => {
    await run('goToStep', UNMASK.step);
    const { item } = await rowOf('devices', ENTRY);
    assert.match(String(item.contextValue), /\bentry\.mask\b/);
    assert.doesNotMatch(String(item.contextValue), /guest\.|iommufd/);
  });

  it('masks an entry at a step in a branch and leaves the capture as it was', async () => {
    const base = await active();
    const { length } = base.session.trace;
    await run('goToStep', UNMASK.step);
    assert.equal(await run('injectMask', ENTRY), UNMASK.step + 1);
    const branch = await active();
    assert.notEqual(branch, base);
    assert.equal(await run('copyValue', `${ENTRY}/control.mask`), 'true');
    assert.equal(base.session.trace.length, length);
    assert.match(labelOf((await rowOf('devices', ENTRY)).item), /^0\b|\[0\]|entry 0/);
    await run('switchTrace', base.uri);
    assert.equal(await run('copyValue', `${ENTRY}/control.mask`), 'false');
  });
});
