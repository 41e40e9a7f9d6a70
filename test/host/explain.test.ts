// *Explain Value…* without a trace.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { run, whileRepeating } from './helper.ts';

const ACCEPT = 'workbench.action.acceptSelectedQuickOpenItem';

describe('Explain Value', () => {
  it('copies the reading of a value as the kind that is named', async () => {
    const text = await run<string>('explainValue', '0xfee004b8/0', 'vtd');
    assert.match(text, /^vtd 0xfee004b8\/0x0: IRTE 37/);
    assert.equal(await vscode.env.clipboard.readText(), text);
  });

  it('lists the readings; the first one is the likeliest', async () => {
    const text = await whileRepeating(ACCEPT, run<string>('explainValue', '0x12008'));
    assert.match(text, /^permission 0x12008: PASID 18/);
    assert.match(text, /\n {2}pasid +31:12 +18 \(0x12\)/);
  });

  it('says what it cannot read', async () => {
    assert.equal(await run('explainValue', 'zz'), undefined);
    assert.equal(await run('explainValue', '1', 'nothing'), undefined);
  });
});
