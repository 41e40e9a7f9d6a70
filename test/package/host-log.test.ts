import assert from 'node:assert/strict';
import { faultsIn } from '../../scripts/test/host-log.ts';

const closed = (model: number): string =>
  `2026-11-26 10:00:00.000 [warning] Illegal argument: TextEditor(vs.editor.ICodeEditor:1,$model${model})`;
const row = '2026-11-26 10:00:00.000 [error] Error: No tree item with id irq/24';
const started = '2026-11-26 10:00:00.000 [info] ExtensionService#_doActivateExtension irqscope.irqscope';

describe('the log of the extension host', () => {
  it('tells a fault by a row that is gone, and by several texts that were used after they closed', () => {
    assert.deepEqual(faultsIn([started, row].join('\n')), [row]);
    assert.deepEqual(faultsIn([started, closed(4), closed(5)].join('\n')), [closed(4), closed(5)]);
  });

  it('holds no fault when one text closed while its line was shown, however often that is told', () => {
    assert.deepEqual(faultsIn([started, closed(4), closed(4), closed(4)].join('\n')), []);
  });
});
