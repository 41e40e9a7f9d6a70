// What is lost behind a function mask, on a real capture and on the same capture without its messages.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import { rules } from '../../src/check/rules.ts';
import { fixtureLines, importText } from '../helpers/fixtures.ts';

describe('the function mask of a real capture', () => {
  const lines = fixtureLines('x86-vtd/qemu.log').map(({ text }) => text);
  /** The write that clears the function mask while vectors 0 and 1 wait (facts of the capture: 1795148743.296792). */
  const unmask = lines.findIndex((text) =>
    text.includes('1795148743.296792:pci_cfg_write e1000e 00:04.0 @0xa2 <- 0x8004'),
  );
  /** The messages of entries 0 and 1 right behind it. */
  const message = (text: string): boolean =>
    /\b0xfee004[79]8\b/.test(text) && /:(?:memory_region_ops_write|vtd_ir_remap_msi)/.test(text);

  it('F01 both vectors were delivered right after the unmask: nothing is lost', () => {
    assert.ok(unmask > 0);
    const behind = lines.slice(unmask, unmask + 40).filter(message);
    assert.ok(behind.some((text) => text.includes('0xfee00478')) && behind.some((text) => text.includes('0xfee00498')));
    const check = checkTrace(
      importText(lines.join('\n')),
      rules.filter(({ id }) => id === 'F01'),
    );
    assert.deepEqual(check.findings, []);
    assert.equal(check.verdicts()['F01'], 'pass');
  });

  it('F01 without these messages both are found, at the write that cleared the mask', () => {
    const without = lines.filter((text, i) => i < unmask || i > unmask + 40 || !message(text));
    assert.ok(without.length < lines.length);
    const trace = importText(without.join('\n'));
    const { findings } = checkTrace(
      trace,
      rules.filter(({ id }) => id === 'F01'),
    );
    assert.deepEqual(
      findings.map(({ object, step }) => [trace.world.path(object), trace.table.line(step)]),
      [
        ['device/0000:00:04.0/msix/0', unmask + 1],
        ['device/0000:00:04.0/msix/1', unmask + 1],
      ],
    );
  });
});
