// The view Interrupts in the editor: what it lists at the cursor, and what can be done with its rows.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { InterruptNode } from '../../src/view/interrupts/rows.ts';
import type { InterruptsView } from '../../src/vscode/views/interrupts-view.ts';
import { machine } from '../helpers/machine.ts';
import { activate, active, closeAll, eventually, example, exampleLines, run, useFolder } from './helper.ts';

const view = async (): Promise<InterruptsView> => (await activate()).internals.interrupts;

/** The last line (from 1) of the example that clears the function mask of the e1000e (FACTS A15). */
const cleared = (): number =>
  exampleLines()
    .split('\n')
    .findLastIndex((line) => /pci_cfg_write e1000e 00:04.0 @0xa2 <- 0x8004/.test(line)) + 1;

const E1000E = ['device/0000:00:04.0/msix/0', 'device/0000:00:04.0/msix/1'];

/** Opens the example while the function mask of the e1000e is set (A15), and shows the view. */
async function openMasked(): Promise<InterruptsView> {
  await run('openTrace', example(), { line: cleared() - 1 });
  await vscode.commands.executeCommand('irqscope.interrupts.focus');
  const interrupts = await view();
  await eventually(() => assert.equal(interrupts.rows[0]?.interrupt?.row.status, 'pending'));
  return interrupts;
}

const find = (rows: readonly InterruptNode[], id: string): InterruptNode =>
  rows.find((row) => row.id === id) ?? assert.fail(`no row ${id}`);

describe('the view Interrupts', () => {
  const file = useFolder();
  beforeEach(closeAll);
  after(closeAll);

  it('lists what pends first, and follows the cursor', async () => {
    const { rows } = await openMasked();
    assert.deepEqual(
      rows.slice(0, 2).map(({ id }) => id),
      E1000E,
    );
    const interrupts = await view();
    const item = interrupts.getTreeItem(rows[0]!);
    assert.equal(item.label, '00:04.0 #0');
    assert.match(
      String(item.description),
      /^pending · (R12 · )?vcpu 3 vector 33 · \d+ raised, \d+ sent · 0000:00:04\.0 msix 0$/,
    );
    assert.equal((item.iconPath as vscode.ThemeIcon).id, 'bell-dot');
    await run('goToLine', cleared() + 20);
    await eventually(() => assert.ok(interrupts.rows.every(({ interrupt }) => interrupt?.row.status !== 'pending')));
    // The row that the editor has shows what is so now.
    assert.doesNotMatch(String(interrupts.getTreeItem(rows[0]!).description), /pending/);
  });

  it('has for each row the operations that can be done to it, as the other trees have', async () => {
    const interrupts = await view();
    await run('startSimulation', 'first-run');
    await run('runAll');
    await vscode.commands.executeCommand('irqscope.interrupts.focus');
    await eventually(() => assert.ok(interrupts.rows.some(({ path }) => path.endsWith('/msix/1'))));
    const row = interrupts.rows.find(({ path }) => path.endsWith('/msix/1'))!;
    const offered = (one: InterruptNode): string => interrupts.getTreeItem(one).contextValue ?? '';
    assert.match(offered(row), /^interrupt (?=.*\bentry\.mask\b)(?=.*\bdevice\.raise\b)/);
    const irq = row.below.find(({ path }) => path.startsWith('irq/'));
    assert.match(offered(irq!), /^object .*\birq\.affinity\b/);
  });

  it('has the objects of an interrupt below it; each leads to its view', async () => {
    const interrupts = await openMasked();
    const row = interrupts.rows[0]!;
    const below = interrupts.getChildren(row);
    assert.deepEqual(
      below.map(({ text, path }) => [text.label, path]),
      [
        ['entry', E1000E[0]],
        ['translation', 'irte/0/35'],
        ['vector', 'vcpu/3/vector/33'],
        ['virtual CPU', 'vcpu/3'],
      ],
    );
    const { command } = interrupts.getTreeItem(below[1]!);
    await vscode.commands.executeCommand(command!.command, ...(command!.arguments ?? []));
    assert.equal((await active()).session.selection, 'irte/0/35');
    const tooltip = interrupts.resolveTreeItem(interrupts.getTreeItem(row), row).tooltip as vscode.MarkdownString;
    assert.ok(!tooltip.isTrusted && tooltip.supportHtml !== true);
    assert.match(tooltip.value, /`irte\/0\/35`/);
  });

  it('goes to the last event of an interrupt, shows its path and selects its lanes', async () => {
    const interrupts = await openMasked();
    const row = find(interrupts.rows, 'device/0000:00:03.0/msix/1');
    const { session } = await active();
    assert.equal(await run('goToLastEvent', row), row.interrupt!.row.last!.step);
    assert.equal(session.cursor, row.interrupt!.row.last!.step);
    assert.ok(await run('showPath', row));
    await run('showLanes', row);
    assert.equal(session.selection, row.path);
    // Devices follows the selection, in its own time.
    const devices = (await activate()).internals.views.find(({ name }) => name === 'devices')!.tree;
    await eventually(() => assert.ok(!devices.visible || devices.selection[0]?.path === row.path));
  });

  it('with very many rows: lists are made in short slices, and show the step at which the cursor comes to rest', async () => {
    const n = 2000;
    const { findings, interrupts, checks } = (await activate()).internals;
    await run('openTrace', file('many.irqtrace', machine(n, true)));
    const { session } = await active();
    await checks.whole(await active());
    interrupts.longest = 0;
    findings.longest = 0;
    // Every event from step 5n + 1 on is about one of the interrupts: the one at the cursor is the last event of a row.
    const last = (): number => Math.max(...interrupts.rows.map((row) => row.interrupt?.row.last?.step ?? -1));
    for (let step = 5 * n + 100; step < 5 * n + 130; step++) {
      session.move({ to: 'step', step });
      await new Promise((done) => setTimeout(done, 15));
    }
    await eventually(() => assert.equal(last(), 5 * n + 129), 20_000);
    const [used, never] = [interrupts.rows.filter(({ role }) => role === 'interrupt'), interrupts.rows.at(-1)!];
    assert.deepEqual([never.role, used.length + never.below.length], ['never', n]);
    await run('closeTrace');
    await run('openTrace', file('many.irqtrace', machine(n, true)));
    await checks.whole(await active());
    await eventually(() => assert.equal(findings.rows[0]?.below[0]?.below.length, n), 20_000);
    for (const { longest } of [interrupts, findings]) {
      assert.ok(longest > 0);
      // The machine of the tests is busy; lists that were made in one go would take much longer.
      assert.ok(longest < 200, `${longest} ms`);
    }
  }).timeout(90_000);

  it('folds those that were never used, until asked', async () => {
    const interrupts = await openMasked();
    const never = interrupts.rows.at(-1)!;
    assert.equal(never.role, 'never');
    assert.match(String(interrupts.getTreeItem(never).label), /^\d+ never used$/);
    const ids = interrupts.getChildren(never).map(({ id }) => id);
    assert.ok(ids.includes('device/0000:00:03.0/msix/5'));
    await run('toggleNeverUsed');
    assert.ok(ids.every((id) => interrupts.rows.some((row) => row.id === id)));
    await run('toggleNeverUsed');
    assert.equal(interrupts.rows.at(-1)!.role, 'never');
  });

  it('keeps an interrupt lost when the finding that says so is suppressed', async () => {
    const folder = join(vscode.workspace.workspaceFolders![0]!.uri.fsPath, '.irqscope');
    await run('startSimulation', 'device-faults');
    await run('changePolicy', 'fault', 'F01');
    await run('runAll');
    const lost = await active();
    const { checks } = (await activate()).internals;
    const [worst] = (await checks.whole(lost))?.findings ?? [];
    assert.deepEqual([worst?.rule.id, worst?.lost], ['F01', true]);
    const path = lost.session.trace.world.path(worst!.object);
    const interrupts = await view();
    const row = () => interrupts.rows.find(({ id }) => id === path)?.text.description ?? '';
    await eventually(() => assert.match(row(), /^lost · F01/));
    mkdirSync(folder, { recursive: true });
    try {
      // A run is a file of no folder: the entry names none.
      writeFileSync(join(folder, 'suppressions.json'), JSON.stringify({ suppressed: [{ rule: 'F01' }] }));
      await eventually(() => assert.match(row(), /^lost · suppressed/));
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await eventually(() => assert.match(row(), /^lost · F01/));
    }
  }).timeout(30_000);
});
