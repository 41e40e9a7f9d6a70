// The delivery path in the editor: command, view, clipboard.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Funnel } from '../../src/query/delivery/funnel.ts';
import type { PathView } from '../../src/query/delivery/path.ts';
import { fixtureBytes, grep } from '../helpers/fixtures.ts';
import { activate, active, closeAll, ENTRY, eventually, example, run, useFolder } from './helper.ts';

/** The cause of the first message of nvme in the example, and what follows it (grep `pci_nvme_irq_msix` in its text). */
const CAUSE = 4702;
const STAGES = ['cause', 'message', 'remap', 'remap', 'remap', 'remap', 'accept'];

describe('Delivery Path', () => {
  const file = useFolder();
  before(async () => {
    await activate();
    await run('openTrace', example(), { step: CAUSE + 2 });
  });
  after(closeAll);

  it('is that of the event at the cursor', async () => {
    const path = await run<PathView>('showPath');
    assert.deepEqual(
      path.hops.map((hop) => hop.stage),
      STAGES,
    );
    assert.equal(path.hops[0]!.step, CAUSE);
    assert.equal(path.delivered, true);
  });

  it('is that of a step, and of an object near the cursor', async () => {
    assert.equal((await run<PathView>('showPath', { step: CAUSE })).hops[0]!.step, CAUSE);
    assert.equal((await run<PathView>('showPath', ENTRY)).hops[0]!.step, CAUSE);
    assert.equal(await run('showPath', 'device/0000:00:03.0/msix/77'), undefined);
  });

  it('can be copied as the command line prints it, and hidden', async () => {
    await run('showPath', { step: CAUSE });
    const text = await run<string>('copyDelivery');
    assert.match(text, /^4702 {2}1795148664\.599494 .*cause for vector 0/);
    assert.match(text, /\ndelivered\n/);
    assert.equal(await vscode.env.clipboard.readText(), text);
    await run('hidePath');
    assert.equal(await run('copyDelivery'), undefined);
  });

  it('comes with the stage funnel of all deliveries through an object, also of a part of the trace', async () => {
    const { internals } = await activate();
    await run('hidePath');
    const funnel = await run<Funnel & { object: string }>('showFunnel', ENTRY);
    // The numbers of docs/cli.md, which the command line prints.
    assert.deepEqual([funnel.object, funnel.deliveries, funnel.delivered, funnel.lost], [ENTRY, 68, 68, 0]);
    const [row] = internals.paths.rows;
    assert.equal(row?.label, 'Stage funnel');
    assert.ok(row?.description.endsWith(ENTRY));
    const stages = internals.paths.getChildren(row);
    assert.deepEqual(
      stages.map(({ label, description }) => [label, description]),
      [
        ...['cause', 'message', 'remap', 'accept'].map((stage) => [stage, '68 in, 68 out  measured']),
        ...['inject', 'handler', 'eoi'].map((stage) => [stage, 'not recorded']),
      ],
    );
    assert.match(await run<string>('copyDelivery'), /^device\/0000:00:03\.0\/msix\/0, steps 0 to 34805: 68 deliveries/);
    const part = await run<Funnel>('showFunnel', { object: ENTRY, from: CAUSE, to: CAUSE + 20 });
    assert.ok(part.deliveries > 0 && part.deliveries < 10);
    // A range that is marked on the timeline chooses the events, also while the funnel is shown.
    await run('showFunnel', ENTRY);
    const { session } = internals.sessions.active!;
    session.mark({ from: CAUSE + 1, to: 34_805 });
    await eventually(() =>
      assert.match(internals.paths.rows[0]!.description, /^67 deliveries.*marked on the timeline/),
    );
    session.mark(undefined);
    await eventually(() => assert.match(internals.paths.rows[0]!.description, /^68 deliveries.*all events/));
    assert.equal(await run('showFunnel', 'device/0000:00:03.0/msix/77'), undefined);
    await run('hidePath');
    assert.deepEqual(internals.paths.rows, []);
    assert.equal(await run('copyDelivery'), undefined);
  });

  it('follows the cursor to another delivery while it is shown', async () => {
    const { internals } = await activate();
    await run('showPath', { step: CAUSE });
    const { session } = internals.sessions.active!;
    const next = session.trace.table;
    let step = CAUSE + 7;
    while (next.kind(step).name !== 'dev.raise') step++;
    await run('goToStep', step);
    for (let tries = 0; tries < 50 && session.path?.hops[0]?.step !== step; tries++)
      await new Promise((done) => setTimeout(done, 100));
    assert.equal(session.path?.hops[0]?.step, step);
  });

  it('for an event that is no hop says which delivery is shown instead, and what happened to its object', async () => {
    const { internals } = await activate();
    // The first read of the mask of that entry, line 4672; its first cause is line 4723.
    const path = await run<PathView>('showPath', { step: 4651 });
    assert.deepEqual([path.near?.delivery, path.near?.hop], ['after', CAUSE]);
    const [row, outcome] = internals.paths.rows;
    assert.equal(row?.label, 'step 4,651 is no hop');
    assert.match(row?.description ?? '', /next one through \S+: it begins at step 4702, 51 steps \(45\.599 ms\) later/);
    assert.equal(outcome?.label, 'delivered');
    const [history] = internals.paths.getChildren(row);
    const { command } = internals.paths.getTreeItem(history!);
    assert.deepEqual([command?.command, command?.arguments?.[0]], ['irqscope.showHistory', ENTRY]);
    // Of an event without any delivery nothing is shown; what was shown stays.
    assert.equal(await run('showPath', { step: 600 }), undefined);
  });

  it('of a finding is that of one of its events, whichever its step is', async () => {
    // The last line of the capture, which tells that a write was refused, is no hop; the access in front of it is.
    const uri = file('lost.log', new TextDecoder('latin1').decode(fixtureBytes('arm64-a/qemu.log')));
    await run('openTrace', uri);
    const trace = await active();
    const { checks } = (await activate()).internals;
    const { table, length } = trace.session.trace;
    const finding = (await checks.whole(trace))?.findings.find(({ step }) => step === length - 1);
    assert.equal(finding?.rule.id, 'F70');
    await vscode.workspace.openTextDocument(uri);
    const line = table.line(finding.step) - 1;
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      uri,
      new vscode.Range(line, 0, line, 5),
    );
    const { command, arguments: args } = actions.find(({ title }) => title === 'Show Delivery Path (F70)')!.command!;
    await vscode.commands.executeCommand(command, ...(args as unknown[]));
    const hops = (trace.session.path?.hops ?? []).map(({ step }) => table.line(step));
    const access = grep('arm64-a/qemu.log', /smmuv3_translate_disable .*sid=0x28/).at(-1)!.line;
    assert.ok(hops.includes(access), `${hops}`);
    await run('closeTrace', uri);
  });
});
