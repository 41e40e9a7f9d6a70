import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsIn, hostLog } from '../../scripts/test/host-log.ts';

const closed = (model: number): string =>
  `2026-11-26 10:00:00.000 [warning] Illegal argument: TextEditor(vs.editor.ICodeEditor:1,$model${model})`;
const row = (name: string): string => `2026-11-26 10:00:00.000 [error] No tree item with id '${name}' found.`;
const lost = '2026-11-26 10:00:00.000 [error] Error: TreeError [x] Cannot resolve tree item for element 0/0:irq 24';
const started = '2026-11-26 10:00:00.000 [info] ExtensionService#_doActivateExtension irqscope.irqscope';

describe('the log of the extension host', () => {
  it('tells a fault by a row that cannot be shown, by several rows that are gone, and by several texts that were used after they closed', () => {
    assert.deepEqual(faultsIn([started, lost].join('\n')), [lost]);
    assert.deepEqual(faultsIn([row('irq/24'), started, row('irq/25')].join('\n')), [row('irq/24'), row('irq/25')]);
    assert.deepEqual(faultsIn([started, closed(4), closed(5)].join('\n')), [closed(4), closed(5)]);
  });

  it('holds no fault when one text closed while its line was shown, however often that is told', () => {
    assert.deepEqual(faultsIn([started, closed(4), closed(4), closed(4)].join('\n')), []);
  });

  it('holds no fault when one row was replaced while the window asked for its children', () => {
    assert.deepEqual(faultsIn([started, row('irq/24'), row('irq/24')].join('\n')), []);
  });

  it('holds no fault when a host that ends cancels a refresh; while it runs, a cancelled refresh is one', () => {
    const begins = '2026-11-26 10:00:00.000 [info] Extension host with pid 11906 started';
    const ends = '2026-11-26 10:00:01.000 [info] Extension host terminating: received terminate message from renderer';
    const canceled = '2026-11-26 10:00:01.000 [error] Unable to refresh tree view irqscope.findings: Canceled';
    const failed = canceled.replace('Canceled', 'Tree input not set');
    assert.deepEqual(faultsIn([begins, started, ends, canceled].join('\n')), []);
    assert.deepEqual(faultsIn([begins, canceled, ends].join('\n')), [canceled]);
    assert.deepEqual(faultsIn([begins, ends, canceled, begins, canceled].join('\n')), [canceled]);
    assert.deepEqual(faultsIn([begins, ends, failed].join('\n')), [failed]);
  });

  it("tells a fault by the extension's name, which the folder of the server has in its path too", () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'irqscope-editor-'));
    const lock = (of: string) =>
      `2026-11-26 10:00:00.000 [error] Error: EEXIST: file already exists, open '${of}/vscode.lock'`;
    const own = '2026-11-26 10:00:00.000 [error] Error: Activating irqscope.irqscope failed';
    try {
      mkdirSync(join(dataDir, 'data/logs/exthost1'), { recursive: true });
      writeFileSync(join(dataDir, 'data/logs/exthost1/remoteexthost.log'), [lock(dataDir), own].join('\n'));
      assert.deepEqual(hostLog(dataDir).split('\n'), [lock('DATA'), own]);
      assert.deepEqual(faultsIn(hostLog(dataDir)), [own]);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
