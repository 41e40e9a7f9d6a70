// The names of two traces behind their lanes: what tells them from each other, in whole words.
import assert from 'node:assert/strict';
import { shortNames } from '../../src/view/lanes/short-names.ts';

describe('short names of two traces', () => {
  it('are the words in which they differ', () => {
    for (const [a, b, ...short] of [
      ['migration-good.irqtrace', 'migration-bad.irqtrace', 'good', 'bad'],
      ['boot-6.1.log', 'boot-6.12.log', '6.1', '6.12'],
      ['good/qemu.log', 'bad/qemu.log', 'good', 'bad'],
      ['vm log monday.txt', 'vm log tuesday.txt', 'monday', 'tuesday'],
      ['2026-01-05-trace.dat', '2026-02-05-trace.dat', '01', '02'],
      ['ftrace.txt', 'qemu.log', 'ftrace.txt', 'qemu.log'],
      ['recording.log', 'recording-2.log', '', '2'],
      ['KVM: a migration', 'migratePending=lost · KVM: a migration', '', 'migratePending=lost'],
      ['entry.mask (2)', 'entry.mask (3)', '(2)', '(3)'],
    ] as const)
      assert.deepEqual(shortNames(a, b), short, a);
  });

  it('are the whole names where these are equal or short', () => {
    for (const [a, b] of [
      ['recording.log', 'recording.log'],
      ['good.log', 'bad.log'],
    ] as const)
      assert.deepEqual(shortNames(a, b), [a, b]);
  });
});
