// Pending bits and masks of MSI-X (PCIe 6.1.4.4, 7.7.2): a pending message leaves as soon as nothing masks its entry.
import assert from 'node:assert/strict';
import { valueAfter } from '../helpers/told.ts';

const DEVICE = 'device/0000:00:03.0';
const ENTRY = `${DEVICE}/msix/0`;
const control = (enable: boolean, fmask: boolean): string => `msix.ctrl ${DEVICE} enable=${enable} fmask=${fmask}`;
const mask = (value: 0 | 1, verb = 'write'): string => `tbl.${verb} ${ENTRY} offset=0xc size=4 value=0x${value}`;
/** Four entries, so that the pending bits that are read belong to some. */
const size = `cfg.read ${DEVICE} offset=0x40 size=4 value=0x30011`;
const capability = [`cfg.read ${DEVICE} offset=0x34 size=4 value=0x40`, size];
const pends = `pba.read ${DEVICE} first=0 size=4 value=0x1`;

/** Whether entry 0 pends, and whether it is masked, after these events. */
const seen = (...events: readonly string[]): unknown[] =>
  ['pending', 'effectivelyMasked'].map((key) => valueAfter([...capability, ...events], `${ENTRY}/${key}`));

describe('a pending MSI-X entry', () => {
  it('stays pending while its own mask bit is set', () => {
    assert.deepEqual(seen(control(true, false), mask(1), pends), [true, true]);
  });

  it('is sent when a write of the table clears its mask bit', () => {
    assert.deepEqual(seen(control(true, false), mask(1), pends, mask(0)), [false, false]);
  });

  it('was sent when a read of the table shows its mask bit clear', () => {
    assert.deepEqual(seen(control(true, false), mask(1), pends, mask(0, 'read')), [false, false]);
  });

  it('stays pending while the function mask is set, and is sent when that is cleared', () => {
    const held = [control(true, true), mask(0), pends];
    assert.deepEqual(seen(...held), [true, true]);
    assert.deepEqual(seen(...held, mask(0)), [true, true], 'an access of the table changes nothing');
    assert.deepEqual(seen(...held, control(true, false)), [false, false]);
  });

  it('stays pending while MSI-X is off', () => {
    assert.deepEqual(seen(control(false, false), mask(0), pends), [true, true]);
    assert.deepEqual(seen(control(false, false), mask(0), pends, control(true, false)), [false, false]);
  });

  it('the function mask that Message Control shows is bit 14, enable is bit 15', () => {
    const shown = (word: string): unknown[] =>
      ['msixcap/enable', 'msixcap/fmask', 'msixcap/size'].map((key) =>
        valueAfter([capability[0]!, `cfg.read ${DEVICE} offset=0x40 size=4 value=${word}`], `${DEVICE}/${key}`),
      );
    assert.deepEqual(shown('0x40030011'), [false, true, 4]);
    assert.deepEqual(shown('0x80030011'), [true, false, 4]);
    assert.deepEqual(shown('0x07ff0011'), [false, false, 2048]);
  });
});
