// `irqscope explain`: the shape of its answers and how it refuses.
import assert from 'node:assert/strict';
import { explainable } from '../../src/query/explain/explain.ts';
import { answered, irqscope } from './run.ts';

interface Answer {
  kind: string;
  value: string;
  text: string;
  fields: Record<string, unknown>;
}

describe('irqscope explain', () => {
  it('answers one object with --as, and an array without it', async () => {
    const one = await answered(['explain', '0xfee01004/0x4023', '--as', 'compat', '--json']);
    const answer = JSON.parse(one.out) as Answer;
    assert.deepEqual(Object.keys(answer), ['kind', 'value', 'text', 'fields']);
    assert.equal(answer.kind, 'compat');
    assert.equal(answer.value, '0xfee01004/0x4023');
    assert.equal(answer.fields['vector'], 35);
    assert.equal(answer.fields['destMode'], true);
    const several = await answered(['explain', '0x12008', '--json']);
    const readings = JSON.parse(several.out) as Answer[];
    assert.deepEqual(
      readings.slice(0, 2).map(({ kind }) => kind),
      ['permission', 'ims'],
    );
  });

  it('takes the numbers of a value as one argument or as several', async () => {
    const words = ['0x000001000000000a', '0x0000200300000003', '0x2'];
    const a = await answered(['explain', words.join(' '), '--as', 'its-command', '--json']);
    const b = await answered(['explain', ...words, '--as', 'its-command', '--json']);
    assert.equal(a.out, b.out);
    assert.equal((JSON.parse(a.out) as Answer).fields['pintid'], 8195);
  });

  it('knows every kind of the contract', () => {
    const names = explainable.map(({ name }) => name);
    const contract =
      'message vtd amd its compat msix-control msi-control command irte amd-irte hwirq fault permission ims iec its-command pi-descriptor';
    for (const name of contract.split(' ')) assert.ok(names.includes(name), name);
  });

  it('ends with 2 and one line for what it cannot read', async () => {
    for (const args of [
      [],
      ['zz'],
      ['0x1c080', '--as', 'msix-control'],
      ['1', '--as', 'nothing'],
      ['1', '--as'],
      ['1\n2', '--as', 'hwirq'],
    ]) {
      const { status, out, err } = await irqscope(['explain', ...args]);
      assert.equal(status, 2, args.join(' '));
      assert.equal(out, '');
      assert.match(err, /^irqscope: .+\n$/);
    }
  });
});
