// Findings in the editor: the view, the Problems panel, the status bar's text, the quick fixes, and what the user writes down.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type FindingRow, rowWithId } from '../../src/view/findings/rows.ts';
import { ENTRY, lineOf, maskedSend, STEPS, textOfStep } from '../helpers/masked-send.ts';
import { activate, active, closeAll, edited, eventually, run, useFolder, whileRepeating } from './helper.ts';

const FINDING = { rule: 'F03', step: STEPS.send, object: ENTRY };

/** All rows of the view, from the top on. */
async function rows(): Promise<FindingRow[]> {
  const all = (list: readonly FindingRow[]): FindingRow[] => list.flatMap((row) => [row, ...all(row.below)]);
  return all((await activate()).internals.findings.rows);
}

const own = async (): Promise<FindingRow> =>
  (await rows()).find(({ kind, rule, step }) => kind === 'finding' && rule?.id === 'F03' && step === STEPS.send) ??
  assert.fail(`no row of F03 among ${(await rows()).map(({ id }) => id)}`);

/** Opens a file and waits until all of it is judged. */
async function open(uri: vscode.Uri): Promise<void> {
  await run('openTrace', uri);
  const { checks } = (await activate()).internals;
  await checks.whole(await active());
}

const problems = (uri: vscode.Uri): vscode.Diagnostic[] =>
  vscode.languages.getDiagnostics(uri).filter(({ code }) => typeof code === 'object' && code.value === 'F03');

describe('findings', () => {
  const file = useFolder();
  beforeEach(closeAll);
  after(closeAll);

  it('are listed by severity, with their evidence, and the worst one is selected', async () => {
    await open(file('bad.irqtrace', maskedSend()));
    const row = await own();
    assert.equal(row.parent?.id, 'severity/error');
    assert.deepEqual(
      row.below.map(({ step }) => step),
      [STEPS.fn, STEPS.mask, STEPS.send],
    );
    const { findings } = (await activate()).internals;
    const item = findings.getTreeItem(row);
    assert.equal(item.label, 'Message of a masked entry');
    assert.match(String(item.description), /^entry 1 of 0000:03:00\.0 sent a message/);
    const tooltip = findings.resolveTreeItem(item, row).tooltip as vscode.MarkdownString;
    assert.match(tooltip.value, /INV-MASK/);
    assert.ok((findings.tree.badge?.value ?? 0) >= 1);
    assert.equal(findings.tree.message, '');
    await eventually(() => assert.equal(findings.tree.selection[0]?.kind, 'finding'));
  });

  it('stand in the Problems panel at their line, with their witnesses and a link to the page', async () => {
    const uri = file('bad.irqtrace', maskedSend());
    await open(uri);
    const [problem, ...more] = problems(uri);
    assert.equal(more.length, 0);
    assert.equal(problem!.range.start.line, lineOf(STEPS.send) - 1);
    assert.equal(problem!.severity, vscode.DiagnosticSeverity.Error);
    assert.equal(problem!.source, 'IRQScope');
    assert.deepEqual(
      problem!.relatedInformation?.map(({ location }) => location.range.start.line),
      [STEPS.fn, STEPS.mask].map((step) => lineOf(step) - 1),
    );
    const { target } = problem!.code as { target: vscode.Uri };
    assert.equal(target.fragment, 'f03');
    const page = new TextDecoder().decode(await vscode.workspace.fs.readFile(target.with({ fragment: '' })));
    assert.match(page, /^### F03$/m);
    await run('closeTrace', uri);
    assert.deepEqual(problems(uri), []);
  });

  it('of two open traces with the same file stand there for each, and go with their own trace', async () => {
    const uri = file('bad.irqtrace', maskedSend());
    const good = file('good.irqtrace', maskedSend(STEPS.send));
    await open(uri);
    const alone = await active();
    const { checks, sessions } = (await activate()).internals;
    await run('openTrace', good, [good, uri]);
    const joined = await active();
    assert.notEqual(joined, alone);
    await checks.whole(joined);
    const inJoined = checks.of(joined)!.findings.filter(({ rule }) => rule.id === 'F03').length;
    assert.ok(inJoined > 0, 'the joined trace has the finding too');
    assert.equal(problems(uri).length, 1 + inJoined);
    sessions.close(joined);
    assert.equal(problems(uri).length, 1);
    assert.equal(problems(uri)[0]!.range.start.line, lineOf(STEPS.send) - 1);
    sessions.close(alone);
    assert.deepEqual(problems(uri), []);
  });

  it('go when their trace is closed; the view stays and says what it is for', async () => {
    await open(file('bad.irqtrace', maskedSend()));
    const { findings } = (await activate()).internals;
    assert.ok((await rows()).length > 0);
    await vscode.commands.executeCommand('irqscope.findings.focus');
    let refreshed = 0;
    const watch = findings.onDidChangeTreeData(() => refreshed++);
    try {
      await run('closeTrace');
      // The editor is told: it asks for rows again, and gets none.
      await eventually(() => assert.ok(refreshed > 0));
      assert.deepEqual(findings.getChildren(), []);
      assert.deepEqual([findings.tree.visible, findings.tree.message, findings.tree.badge], [true, '', undefined]);
    } finally {
      watch.dispose();
    }
  });

  it('of a trace without a fault: nothing is listed as wrong, and the summary says how much was judged', async () => {
    const uri = file('good.irqtrace', maskedSend(STEPS.send));
    await open(uri);
    assert.deepEqual(vscode.languages.getDiagnostics(uri), []);
    const { checks } = (await activate()).internals;
    const checked = checks.of(await active())!;
    assert.match(checked.summary, /^no findings, \d+ rules? decided, \d+ blind$/);
    assert.equal(checked.done, true);
    assert.equal((await activate()).internals.findings.tree.message, checked.summary);
    assert.equal(await run('whyNot'), undefined);
  });

  it('lead to their step: from the row, by the command, by the question why', async () => {
    await open(file('bad.irqtrace', maskedSend()));
    const { session } = await active();
    const row = await own();
    await run('firstEvent');
    assert.equal(await run('goToFinding', row), STEPS.send);
    assert.equal(session.cursor, STEPS.send);
    assert.equal(session.selection, ENTRY);
    assert.equal(await run('goToFinding', { ...FINDING, at: STEPS.mask }), STEPS.mask);
    assert.equal(await run('goToFinding', { ...FINDING, step: 1 }), undefined);
    await run('firstEvent');
    const { findings } = (await activate()).internals;
    const worst = findings.rows[0]!;
    assert.equal(worst.id, 'severity/error');
    const step = await run<number>('whyNot');
    assert.equal(session.cursor, step);
    await eventually(() => assert.equal(findings.tree.selection[0]?.step, step));
  });

  it('are copied as a report that holds the lines of the file, the state and the version', async () => {
    const uri = file('bad.irqtrace', maskedSend());
    await open(uri);
    const text = (await run<string>('copyReport', FINDING)) ?? assert.fail('no report');
    assert.equal(await vscode.env.clipboard.readText(), text);
    for (const step of [STEPS.fn, STEPS.mask, STEPS.send])
      assert.ok(text.includes(`bad.irqtrace:${lineOf(step)}: ${textOfStep(step)}\n`), text);
    assert.match(text, /\| `device\/0000:03:00\.0\/msix\/1` \| control \| 0x1 \(mask=1\) \|/);
    assert.match(text, /^IRQScope \d+\.\d+\.\d+$/m);
  });

  it('have quick fixes at their line', async () => {
    const uri = file('bad.irqtrace', maskedSend());
    await open(uri);
    await vscode.workspace.openTextDocument(uri);
    const range = new vscode.Range(lineOf(STEPS.send) - 1, 0, lineOf(STEPS.send) - 1, 5);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      uri,
      range,
    );
    const titles = actions.map(({ title }) => title);
    for (const title of ['Go to Step', 'Show History', 'Copy as Report', 'Suppress Here'])
      assert.ok(titles.includes(`${title} (F03)`), titles.join(', '));
    const { command, arguments: args } = actions.find(({ title }) => title === 'Go to Step (F03)')!.command!;
    await run('firstEvent');
    assert.equal(await vscode.commands.executeCommand(command, ...(args as unknown[])), STEPS.send);
  });

  it('are judged while a simulated run goes on, and when it is over', async () => {
    await run('startSimulation', 'device-faults');
    const trace = await active();
    const { checks } = (await activate()).internals;
    await eventually(() => assert.equal(checks.of(trace)?.share, 1));
    await run('runAll', trace.uri);
    const checked = await checks.whole(trace);
    assert.equal(checked?.done, true);
    assert.deepEqual(
      checked.findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule.id),
      [],
    );
    await run('changePolicy', 'fault', 'F03');
    await run('runAll');
    const planted = await active();
    const found = await checks.whole(planted);
    assert.deepEqual(found?.findings.map(({ rule }) => rule.id).includes('F03'), true);
    assert.equal(vscode.languages.getDiagnostics(planted.uri).length, found?.findings.length);
    // The question why shows the way of an interrupt that was lost.
    await run('changePolicy', 'fault', 'F01');
    await run('runAll');
    const lost = await active();
    const [worst] = (await checks.whole(lost))?.findings ?? [];
    assert.equal(worst?.rule.id, 'F01');
    const hops = (): number[] => (lost.session.path?.hops ?? []).map((hop) => hop.step);
    assert.deepEqual(hops(), []);
    const step = await run<number>('whyNot');
    assert.equal(step, worst?.step);
    const shown = new Set(hops());
    assert.ok(
      [step, ...worst.evidence].some((at) => shown.has(at)),
      hops().join(', '),
    );
  }).timeout(60_000);

  it('are what a run to what goes wrong next stops at, forwards and back, of a file and of a run that goes on', async () => {
    // No event of this trace tells of a problem by itself.
    await run('openTrace', file('bad.irqtrace', maskedSend()));
    await run('firstEvent');
    assert.equal(await run('runToFinding'), STEPS.send);
    assert.equal((await active()).session.cursor, STEPS.send);
    assert.equal(await run('runToFinding'), undefined);
    assert.equal(await run('runBackTo', { to: 'finding' }), undefined);
    await run('closeTrace');
    await run('startSimulation', 'device-faults');
    await run('changePolicy', 'fault', 'F03');
    const { session } = await active();
    const step = await run<number>('runToFinding');
    const { checks } = (await activate()).internals;
    const found = (await checks.whole(await active()))!.findings.filter(({ severity }) => severity !== 'info');
    assert.equal(found[0]?.rule.id, 'F03');
    assert.equal(step, Math.min(...found.map((finding) => finding.step)));
    assert.equal(session.growing, true, 'the run does not go on to its end');
  }).timeout(60_000);

  it('a check that fails says so, and others go on', async () => {
    const { checks, files, findings } = (await activate()).internals;
    const broken = (): never => {
      throw new Error('planted');
    };
    Object.defineProperty(files, 'rules', { configurable: true, get: broken });
    try {
      await run('openTrace', file('first.irqtrace', maskedSend()));
      const failed = await checks.whole(await active());
      assert.equal(failed?.failed, 'planted');
      assert.deepEqual(failed.findings, []);
      assert.equal(findings.tree.message, 'checking failed: planted');
      assert.equal(await run('whyNot'), undefined);
    } finally {
      Reflect.deleteProperty(files, 'rules');
    }
    await open(file('second.irqtrace', maskedSend()));
    assert.equal((await own()).step, STEPS.send);
  });

  it('of a long trace are looked for in short slices', async () => {
    const { checks } = (await activate()).internals;
    checks.longest = 0;
    await run(
      'openTrace',
      vscode.Uri.joinPath(
        vscode.extensions.getExtension('irqscope.irqscope')!.extensionUri,
        'examples',
        'x86-vtd-qemu.log',
      ),
    );
    await checks.whole(await active());
    assert.ok(checks.longest > 0);
    // The machine of the tests is busy; a slice that judged all in one go would take much longer.
    assert.ok(checks.longest < 200, `${checks.longest} ms`);
  }).timeout(30_000);
});

describe('what the user writes down about findings', () => {
  const workspace = (): string => vscode.workspace.workspaceFolders![0]!.uri.fsPath;
  const folder = (): string => join(workspace(), '.irqscope');
  const trace = (): vscode.Uri => vscode.Uri.file(join(workspace(), 'bad.irqtrace'));
  beforeEach(async () => {
    await closeAll();
    writeFileSync(trace().fsPath, maskedSend());
  });
  afterEach(async () => {
    await closeAll();
    rmSync(folder(), { recursive: true, force: true });
    rmSync(trace().fsPath, { force: true });
    const { files } = (await activate()).internals;
    await eventually(() => {
      assert.deepEqual(files.rules, []);
      assert.deepEqual(files.suppressionsFor(trace()).all, []);
    }, 10_000);
  });

  it('what is suppressed is listed apart and is no problem any more', async () => {
    await open(trace());
    const row = await own();
    assert.equal(problems(trace()).length, 1);
    assert.equal(await run('suppressFinding', row), true);
    await eventually(() => assert.deepEqual(problems(trace()), []));
    const written = JSON.parse(readFileSync(join(folder(), 'suppressions.json'), 'utf8')) as unknown;
    assert.deepEqual(written, { suppressed: [{ rule: 'F03', object: ENTRY, file: 'bad.irqtrace' }] });
    const { findings } = (await activate()).internals;
    const group = rowWithId(findings.rows, 'suppressed') ?? assert.fail('nothing is listed as suppressed');
    assert.equal(findings.getTreeItem(group).collapsibleState, vscode.TreeItemCollapsibleState.Collapsed);
    assert.equal(group.below.length, 1);
  });

  /** The rows below *Suppressed*. */
  const apart = async (): Promise<readonly FindingRow[]> =>
    rowWithId((await activate()).internals.findings.rows, 'suppressed')?.below ?? [];
  const path = (): string => join(folder(), 'suppressions.json');
  const write = (suppressed: readonly object[]): void => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(path(), JSON.stringify({ $schema: 'x.json', suppressed }, null, '\t'));
  };
  const OTHER = { rule: 'F80', reason: 'a stress test' };
  const OWN = { rule: 'F03', object: ENTRY, file: 'bad.irqtrace' };

  it('what is suppressed is told again: its entry leaves the file, and nothing else does', async () => {
    write([OTHER, OWN]);
    await open(trace());
    await eventually(async () => assert.equal((await apart()).length, 1));
    const [row] = await apart();
    const { findings } = (await activate()).internals;
    assert.equal(findings.getTreeItem(row!).contextValue, 'finding suppressed');
    assert.equal(await run('stopSuppressingRow', row), true);
    assert.equal(readFileSync(path(), 'utf8'), JSON.stringify({ $schema: 'x.json', suppressed: [OTHER] }, null, '\t'));
    await eventually(() => assert.equal(problems(trace()).length, 1));
    assert.equal(findings.getTreeItem(await own()).contextValue, 'finding');
    // It is told already: nothing is asked, and nothing is written.
    assert.equal(await run('stopSuppressing', FINDING), undefined);
  });

  it('an entry that hides more is taken out only when the user agrees', async () => {
    write([OTHER, { rule: 'F03', reason: 'known' }]);
    await open(trace());
    await eventually(async () => assert.equal((await apart()).length, 1));
    const before = readFileSync(path(), 'utf8');
    assert.equal(await whileRepeating('notifications.clearAll', run('stopSuppressing', FINDING)), undefined);
    assert.equal(readFileSync(path(), 'utf8'), before);
    assert.equal(await whileRepeating('notification.acceptPrimaryAction', run('stopSuppressing', FINDING)), true);
    assert.deepEqual(JSON.parse(readFileSync(path(), 'utf8')), { $schema: 'x.json', suppressed: [OTHER] });
  });

  it('is not taken back over a text that is not saved', async () => {
    write([OWN]);
    const before = readFileSync(path(), 'utf8');
    await open(trace());
    const { files } = (await activate()).internals;
    await edited(path());
    await assert.rejects(files.stopSuppressing(trace(), FINDING), /not saved/);
    assert.equal(await run('stopSuppressing', FINDING), undefined);
    assert.equal(readFileSync(path(), 'utf8'), before);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await files.stopSuppressing(trace(), FINDING);
    await assert.rejects(files.stopSuppressing(trace(), FINDING), /does not suppress it/);
  });

  it('two suppressions at the same time are both written, and none over a text that is not saved', async () => {
    const { files } = (await activate()).internals;
    const both = ['F01', 'F02'].map((rule) => ({ rule, object: ENTRY }));
    await Promise.all(both.map((what) => files.suppress(trace(), what)));
    assert.deepEqual(
      files.suppressionsFor(trace()).all.map(({ rule }) => rule),
      ['F01', 'F02'],
    );
    await edited(join(folder(), 'suppressions.json'));
    await assert.rejects(files.suppress(trace(), { rule: 'F03', object: ENTRY }), /not saved/);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('opening a trace writes nothing', async () => {
    await open(trace());
    assert.equal(existsSync(folder()), false);
  });

  it('rules of the user judge as soon as they are written, and what is wrong with them is a problem of their file', async () => {
    await open(trace());
    mkdirSync(folder());
    const rule = {
      id: 'answered',
      title: 'a cause without a message',
      after: 'kind == dev.raise',
      expect: 'kind == send',
      within: '500 ns',
    };
    const path = join(folder(), 'rules.json');
    writeFileSync(path, JSON.stringify({ rules: [rule] }));
    await eventually(async () => {
      const found = (await rows()).find(({ kind, rule: of }) => kind === 'finding' && of?.id === 'answered');
      assert.equal(found?.step, STEPS.send - 1);
    }, 10_000);
    const wrong = `{"rules": [\n  ${JSON.stringify(rule)},\n  ${JSON.stringify({ ...rule, id: 'wrong', within: 'soon' })}]}`;
    writeFileSync(path, wrong);
    await eventually(() => {
      const [problem] = vscode.languages.getDiagnostics(vscode.Uri.file(path)).filter((d) => d.source === 'IRQScope');
      assert.match(problem?.message ?? '', /rules\.1\.within/);
      const { start, end } = problem!.range;
      assert.equal(wrong.split('\n')[start.line]!.slice(start.character, end.character), '"soon"');
    }, 10_000);
    // The rule that is right judges on.
    assert.ok((await rows()).some(({ kind, rule: of }) => kind === 'finding' && of?.id === 'answered'));
  });
});
