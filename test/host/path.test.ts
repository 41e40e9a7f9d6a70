// The delivery path in the editor: command, view, clipboard.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { PathView } from '../../src/query/delivery/path.ts';
import { activate, closeAll, ENTRY, example, run } from './helper.ts';

/** The cause of the first message of nvme in the example, and what follows it (grep `pci_nvme_irq_msix` in its text). */
const CAUSE = 4702;
const STAGES = ['cause', 'message', 'remap', 'remap', 'remap', 'remap', 'accept'];

describe('Delivery Path', () => {
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
});
