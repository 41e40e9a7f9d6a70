// Lines of the kernel's log between the records of a trace that tell of a refused interrupt: the forms of drivers/iommu/intel/dmar.c from
// 4.x to 7.2. The first ones are from real reports.
import assert from 'node:assert/strict';
import { found } from '../check/made.ts';
import { sample } from './samples.ts';

const PRESENT = 'Present field in the IRTE entry is clear';
const COMPAT = 'Blocked a compatibility format interrupt request';
const rows: readonly (readonly [line: string, event: string])[] = [
  [
    `[76561.105092] DMAR: [INTR-REMAP] Request device [65:00.0] fault index 0x25 [fault reason 0x22] ${PRESENT}`,
    `ir.fault device/0000:65:00.0 reason=34 sid=0x6500 index=37 text=${PRESENT}`,
  ],
  [
    `DMAR: [INTR-REMAP] Request device [42:00.2] fault index 1600 [fault reason 37] ${COMPAT}`,
    `ir.fault device/0000:42:00.2 reason=37 sid=0x4202 index=5632 text=${COMPAT}`,
  ],
  [
    `[    4.1] DMAR: [INTR-REMAP] Request device [0xe2:0x00.0] fault index 0xa00 [fault reason 0x25] ${COMPAT}`,
    `ir.fault device/0000:e2:00.0 reason=37 sid=0xe200 index=2560 text=${COMPAT}`,
  ],
  [
    `Nov 20 10:00:00 host kernel: DMAR: [INTR-REMAP] Request device [0000:65:00.0] fault index 0x25 [fault reason 0x22] ${PRESENT}`,
    `ir.fault device/0000:65:00.0 reason=34 sid=0x6500 index=37 text=${PRESENT} segment=0`,
  ],
  [
    `DMAR: [INTR-REMAP] Request device [0001:65:00.0] fault index 0x25 [fault reason 0x22] ${PRESENT}`,
    `ir.fault device/0001:65:00.0 reason=34 sid=0x6500 index=37 text=${PRESENT} segment=1`,
  ],
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=0001:06:00.0 domain=0x0009 address=0xfdf8000000 flags=0x0008]',
    'ir.fault device/0001:06:00.0 sid=0x600 text=IO_PAGE_FAULT: the entry is not present (RemapEn 0) segment=1',
  ],
];

const ftrace = (line: string): string => `# tracer: nop
          <idle>-0       [002] d.h1.    10.934596: irq_handler_entry: irq=42 name=nvme0q1
${line}
          <idle>-0       [002] d.h1.    10.934597: irq_handler_exit: irq=42 ret=handled
`;
const qemu = (line: string): string => `7@1.000001:vtd_ir_enable enable 1\n${line}\n7@1.000002:vtd_inv_qi_fetch \n`;

describe('lines of the kernel log between records', () => {
  for (const [line, event] of rows)
    it(line, () => {
      const traced = ftrace(`          <idle>-0       [002] d.h1.    10.934596: console: ${line}`);
      for (const text of [ftrace(line), qemu(line), traced]) {
        const { events } = sample(text);
        assert.deepEqual(
          events.filter((e) => e.startsWith('ir.fault')),
          [event],
        );
      }
    });

  it('others, and lines that only speak of it, are text', () => {
    for (const line of [
      'DMAR: DRHD: handling fault status reg 2',
      'see the INTR-REMAP fault above',
      `DMAR: [DMA Write NO_PASID] Request device [65:00.0] fault addr 0x0 [fault reason 0x05] PTE Write access is not set`,
    ])
      assert.deepEqual(
        sample(ftrace(line)).events.filter((e) => e.startsWith('ir.fault')),
        [],
        line,
      );
  });

  it('a rule tells the entry by its index, and none where the index means nothing', () => {
    assert.deepEqual(found(sample(ftrace(rows[0]![0])).trace, 'F30'), [
      '2 device/0000:65:00.0: 0000:65:00.0 used IRTE 37, which is not present',
    ]);
    assert.deepEqual(found(sample(ftrace(rows[1]![0])).trace, 'F33'), [
      '2 device/0000:42:00.2: 0000:42:00.2 sent a message in compatibility format, which the remapping unit blocked',
    ]);
  });

  it('the segment of a line is that of the reason in the next line', () => {
    const { events } = sample(
      ftrace(
        `[ 4.1] INTR-REMAP: Request device [[0001:65:00.0] fault index 25\n[ 4.1] INTR-REMAP:[fault reason 34] ${PRESENT}`,
      ),
    );
    assert.deepEqual(
      events.filter((e) => e.startsWith('ir.fault')),
      [`ir.fault device/0001:65:00.0 reason=34 sid=0x6500 index=37 text=${PRESENT} segment=1`],
    );
  });

  it('functions of two segments with one BDF are two', () => {
    const faults = ['0000', '0001', '0000']
      .map(
        (segment) => `DMAR: [INTR-REMAP] Request device [${segment}:65:00.0] fault index 0x25 [fault reason 0x22] x\n`,
      )
      .join('');
    assert.deepEqual(found(sample(ftrace(faults.trimEnd())).trace, 'F30'), [
      '2 device/0000:65:00.0: 0000:65:00.0 used IRTE 37, which is not present',
      '3 device/0001:65:00.0: 0001:65:00.0 used IRTE 37, which is not present',
    ]);
  });
});
