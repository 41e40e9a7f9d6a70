// Numbers that a specification gives a name, copied from there by hand.
import assert from 'node:assert/strict';
import type { Register } from '../../src/model/register.ts';
import { itsLevel1 } from '../../src/model/registers/its.ts';
import { vtdIrte } from '../../src/model/registers/vtd.ts';
import { vmxInterruption } from '../../src/model/registers/x86.ts';
import { VFIO_INDEX } from '../../src/model/vfio-index.ts';

describe('numbers that a specification gives a name', () => {
  const names = (register: Register, field: string): unknown => register.fields.find((f) => f.name === field)?.values;

  it('VT-d: source id qualifier and source validation type (VT-d 9.10)', () => {
    assert.deepEqual(names(vtdIrte, 'sq'), {
      0: 'all 16 bits',
      1: 'all but bit 2',
      2: 'all but bits 2:1',
      3: 'all but bits 2:0',
    });
    assert.deepEqual(names(vtdIrte, 'svt'), { 0: 'none', 1: 'compare sid by sq', 2: 'bus range', 3: 'reserved' });
  });

  it('VMX: kinds of events in the interruption information (SDM vol. 3 table 26-17)', () => {
    assert.deepEqual(names(vmxInterruption, 'type'), {
      0: 'external interrupt',
      2: 'NMI',
      3: 'hardware exception',
      5: 'privileged software exception',
      6: 'software exception',
    });
  });

  it('VFIO: interrupt indexes of a PCI device (include/uapi/linux/vfio.h)', () => {
    assert.deepEqual(VFIO_INDEX, { intx: 0, msi: 1, msix: 2, err: 3, req: 4 });
  });

  it('GICv3: an address in a level 1 table entry is bits 51:12', () => {
    const { fields } = itsLevel1;
    assert.deepEqual(
      [fields.find((f) => f.name === 'address')?.hi, fields.find((f) => f.name === 'address')?.lo],
      [51, 12],
    );
  });
});
