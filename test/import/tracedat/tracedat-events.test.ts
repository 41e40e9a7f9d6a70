// Records of trace.dat that mean something together, or that are known by more than their fields: marks, probes, threads, what is not known.
import assert from 'node:assert/strict';
import { traceInfo } from '../../../src/query/info.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import { importBytes } from '../../helpers/fixtures.ts';
import { Bytes, type Dat, datV6, type FieldSpec, formatText, LITTLE, recordOf } from '../../helpers/trace-dat.ts';
import { texts } from '../samples.ts';
import { KALLSYMS, PRINTK } from './kernel.ts';
import { i32, ROWS, u32, u64 } from './rows.ts';

const ID = 400;

describe('events of trace.dat', () => {
  /** The events of records of several formats, in their order. */
  interface Given {
    readonly format: readonly [system: string, name: string, fields: readonly FieldSpec[], print: string];
    readonly values: readonly (number | bigint | Uint8Array)[];
    readonly pid?: number;
  }
  function several(given: readonly Given[], dat: Partial<Dat> = {}) {
    const formats = [...new Set(given.map(({ format }) => format))];
    const entries = given.map(({ format: [, , fields], values, pid, format }) => ({
      after: 1000,
      data: recordOf(LITTLE, ID + formats.indexOf(format), pid ?? 77, fields, values),
    }));
    const bytes = datV6({
      formats: formats.map(([system, name, fields, print], i) => [system, formatText(name, ID + i, fields, print)]),
      rings: [{ cpus: [{ cpu: 2, pages: [{ stamp: 10_000_000_000n, entries }] }] }],
      ...dat,
    });
    const trace = importBytes(bytes);
    assert.deepEqual(checkIntegrity(trace), []);
    return { trace, info: traceInfo(trace), told: texts(trace) };
  }
  const raw = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);
  const PRINT = [
    'ftrace',
    'print',
    [
      ['unsigned long ip', 8],
      ['char buf[]', 0],
    ],
    '"%ps: %s", (void *)REC->ip, REC->buf',
  ] as const;

  it('what the kernel wrote into the trace is told with the function that wrote it', () => {
    const { told } = several([{ format: PRINT, values: [0xffffffff81001010n, raw('hello\n')] }], {
      kallsyms: KALLSYMS,
    });
    assert.deepEqual(told, ['mark marker text=generic_exec_single: hello']);
  });

  it('without names of addresses a mark is its text', () => {
    const { told } = several([{ format: PRINT, values: [0xffffffff81001010n, raw('hello\n')] }]);
    assert.deepEqual(told, ['mark marker text=hello']);
  });

  it('trace_printk() in binary: the format is in the kernel, the arguments are in the record', () => {
    const format = [
      'ftrace',
      'bprint',
      [
        ['unsigned long ip', 8],
        ['const char * fmt', 8],
        ['u32 buf[]', 0],
      ],
      '"%ps: %s", (void *)REC->ip, REC->fmt',
    ] as const;
    // n is %d, %s at %ps, %c, %llx: a number, a text, an address at a multiple of four, a byte, a number at a multiple of four.
    const args = new Bytes(false)
      .n(4, -3)
      .text('abc\0')
      .n(8, 0xffffffff81002400n)
      .n(1, 120)
      .align(4)
      .n(8, 2n ** 40n);
    const { told, info } = several([{ format, values: [0xffffffff81001010n, 0xffffffff82000020n, args.bytes] }], {
      kallsyms: KALLSYMS,
      printk: PRINTK,
    });
    assert.deepEqual(told, ['mark marker text=generic_exec_single: n is -3, abc at vfio_ioctl, x, 10000000000']);
    assert.equal(info.understood, 1);
  });

  it('trace_puts(): the text is in the kernel', () => {
    const format = [
      'ftrace',
      'bputs',
      [
        ['unsigned long ip', 8],
        ['const char * str', 8],
      ],
      '"%ps: %s", (void *)REC->ip, REC->str',
    ] as const;
    const { told } = several([{ format, values: [0xffffffff81001010n, 0xffffffff82000030n] }], {
      kallsyms: KALLSYMS,
      printk: PRINTK,
    });
    assert.deepEqual(told, ['mark marker text=generic_exec_single: just "this"']);
  });

  it('functions, unknown events and events without a description are counted', () => {
    const func = [
      'ftrace',
      'function',
      [
        ['unsigned long ip', 8],
        ['unsigned long parent_ip', 8],
      ],
      '" %ps <-- %ps", (void *)REC->ip, (void *)REC->parent_ip',
    ] as const;
    const other = ['sched', 'sched_stat_wait', [i32('pid')], '"pid=%d", REC->pid'] as const;
    const bytes = datV6({
      formats: [
        ['ftrace', formatText('function', ID, func[2], func[3])],
        ['sched', formatText('sched_stat_wait', ID + 1, other[2], other[3])],
      ],
      rings: [
        {
          cpus: [
            {
              cpu: 0,
              pages: [
                {
                  stamp: 1n,
                  entries: [
                    { after: 1, data: recordOf(LITTLE, ID, 1, func[2], [1n, 2n]) },
                    { after: 1, data: recordOf(LITTLE, ID + 1, 1, other[2], [3]) },
                    { after: 1, data: recordOf(LITTLE, ID + 2, 1, other[2], [3]) },
                    { after: 1, data: recordOf(LITTLE, ID, 1, func[2], [1n, 2n]) },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    const info = traceInfo(importBytes(bytes));
    assert.equal(info.records, 4);
    assert.equal(info.understood, 2);
    assert.deepEqual(info.withoutEffect, { function: 2 });
    assert.deepEqual(info.unknown, { sched_stat_wait: 1 });
    assert.deepEqual(info.skipped, { [`event ${ID + 2}, which the file does not describe`]: 1 });
  });

  it('an event whose fields are none that its rule knows is skipped, and so is a record that lacks a field', () => {
    const odd = ['x', 'vector_config', [u32('foo')], '"foo=%u", REC->foo'] as const;
    const { info: first } = several([{ format: odd, values: [1] }]);
    assert.deepEqual(first.skipped, { 'vector_config: fields not as expected': 1 });
    const fields = [u32('irq'), u32('vector'), u32('cpu'), u32('apicdest')];
    const print = '"irq=%u vector=%u cpu=%u apicdest=0x%08x", REC->irq, REC->vector, REC->cpu, REC->apicdest';
    const whole = recordOf(LITTLE, ID, 1, fields, [4, 33, 26, 0x40]);
    const entries = [{ after: 0, data: whole.subarray(0, whole.length - 4) }];
    const bytes = datV6({
      formats: [['irq_vectors', formatText('vector_config', ID, fields, print)]],
      rings: [{ cpus: [{ cpu: 0, pages: [{ stamp: 1n, entries }] }] }],
    });
    assert.deepEqual(traceInfo(importBytes(bytes)).skipped, { 'vector_config: fields not as expected': 1 });
  });

  it('VFIO_DEVICE_SET_IRQS from probes at the function and at its return', () => {
    const begin = [
      'kprobes',
      'b',
      [['unsigned long __probe_ip', 8], u32('flags'), u32('index'), u32('start'), u32('count')],
      '"(%lx) flags=%u index=%u start=%u count=%u", REC->__probe_ip, REC->flags, REC->index, REC->start, REC->count',
    ] as const;
    const end = [
      'kprobes',
      'e',
      [
        ['unsigned long __probe_func', 8],
        ['unsigned long __probe_ret_ip', 8],
        ['s32 ret', 4, true],
      ],
      '"(%lx <- %lx) ret=%d", REC->__probe_func, REC->__probe_ret_ip, REC->ret',
    ] as const;
    const { told } = several(
      [
        { format: begin, values: [0xffffffffc0001100n, 0x24, 2, 0, 3] },
        { format: end, values: [0xffffffffc0001100n, 0xffffffff81002410n, -22] },
      ],
      { kallsyms: KALLSYMS },
    );
    assert.deepEqual(told, [
      'vfio.set vfio/ioctl flags=0x24 index=2 start=0 count=3',
      'vfio.return vfio/ioctl index=2 start=0 count=3 ret=-22',
    ]);
  });

  it('a doorbell belongs to the controller that the probed call returns to', () => {
    const begin = [
      'kprobes',
      'b',
      [['unsigned long __probe_ip', 8], u64('doorbell')],
      '"(%lx) doorbell=0x%Lx", REC->__probe_ip, REC->doorbell',
    ] as const;
    const end = [
      'kprobes',
      'e',
      [
        ['unsigned long __probe_func', 8],
        ['unsigned long __probe_ret_ip', 8],
      ],
      '"(%lx <- %lx)", REC->__probe_func, REC->__probe_ret_ip',
    ] as const;
    const [called, its, frame] = [0xffffffff81001000n, 0xffffffff81002000n, 0xffffffff81003000n];
    const kallsyms = [
      [called, 'iommu_dma_prepare_msi'],
      [its, 'its_irq_domain_alloc'],
      [frame, 'gicv2m_irq_domain_alloc'],
      [frame + 0x1000n, 'behind_it'],
    ]
      .map(([address, name]) => `${address!.toString(16)} t ${name}\n`)
      .join('');
    const { told } = several(
      [
        { format: begin, values: [called, 0x8090040n] },
        { format: end, values: [called, its + 0xecn] },
        { format: begin, values: [called, 0x8020040n] },
        { format: end, values: [called, frame + 0x114n] },
      ],
      { kallsyms },
    );
    assert.deepEqual(
      told.filter((text) => !text.startsWith('probe ')),
      ['its.doorbell its/0 address=0x8090040', 'gic.frame gic/0/frame/0 doorbell=0x8020040'],
    );
  });

  it('a virtual CPU is known from records of its thread, and from the option that tells of guests', () => {
    const format = ['kvm', 'kvm_inj_virq', [u32('irq')], '"irq %u", REC->irq'] as const;
    const guest = new Bytes(false).text('vm\0').n(8, 5).n(4, 2).n(4, 0).n(4, 900).n(4, 1).n(4, 901);
    const { told } = several(
      [
        { format, values: [50], pid: 901 },
        { format, values: [50], pid: 902 },
      ],
      { options: [[13, guest.bytes]] },
    );
    assert.deepEqual(
      told.map((text) => text.split(' ').slice(0, 2).join(' ')),
      ['apic.inj vcpu/1/vector/50', 'apic.inj vcpu/unknown/injection'],
    );
  });

  it('threads of virtual CPUs leave their processors: preempted or asleep', () => {
    const entry = ['kvm', 'kvm_entry', [u32('vcpu_id')], '"vcpu %u", REC->vcpu_id'] as const;
    const { fields, print } = Object.values(ROWS).find(({ event }) => event === 'sched_switch')!;
    const format = ['sched', 'sched_switch', fields, print] as const;
    const name = (text: string): Uint8Array => new Bytes(false).text(text).align(16).bytes;
    const leaves = (state: bigint) => ({
      format,
      values: [name('CPU 1/KVM'), 77, 120, state, name('x'), 5, 120],
      pid: 77,
    });
    const { told, info } = several([{ format: entry, values: [1], pid: 77 }, leaves(0x100n), leaves(1n)]);
    assert.deepEqual(told, [
      'kvm.entry vcpu/1',
      'vcpu.sched vcpu/1 on=false sleeps=false',
      'vcpu.sched vcpu/1 on=false sleeps=true',
    ]);
    assert.equal(info.understood, 3);
  });

  it('in which context a record was made, its flags tell: in an interrupt (hard, soft, NMI), or not', () => {
    const fields = [u32('irq'), u32('vector'), u32('cpu'), u32('prev_vector'), u32('prev_cpu')];
    const print =
      '"irq=%u vector=%u cpu=%u prev_vector=%u prev_cpu=%u", REC->irq, REC->vector, REC->cpu, REC->prev_vector, REC->prev_cpu';
    // TRACE_FLAG_IRQS_OFF, NEED_RESCHED, HARDIRQ, SOFTIRQ, PREEMPT_RESCHED, NMI (include/linux/trace_events.h).
    const entries = [0x01, 0x04, 0x08, 0x10, 0x20, 0x40].map((flags) => {
      const data = recordOf(LITTLE, ID, 1, fields, [4, 33, 1, 0, 0]);
      data[2] = flags;
      return { after: 1, data };
    });
    const bytes = datV6({
      formats: [['irq_vectors', formatText('vector_update', ID, fields, print)]],
      rings: [{ cpus: [{ cpu: 0, pages: [{ stamp: 1n, entries }] }] }],
    });
    const told = texts(importBytes(bytes)).map((text) => /interrupt=true$/.test(text));
    assert.deepEqual(told, [false, false, true, true, false, true]);
  });

  it('a probe whose function has no name is known by its own', () => {
    const fields = [u64('__probe_ip'), u32('irq'), u32('lo'), u32('data')];
    const format = [
      'kprobes',
      'msiwrite',
      fields,
      '"(%lx) irq=%u lo=0x%x data=%u", REC->__probe_ip, REC->irq, REC->lo, REC->data',
    ] as const;
    const { told } = several([{ format, values: [0xffffffff81001000n, 28, 0xfee002d8, 0] }]);
    assert.deepEqual(told, ['msg.write irq/28 address=0xfee002d8 data=0x0']);
  });

  it('inputs of the virtual PIC are known: a vector of one of them is injected for it', () => {
    const pic = [
      'kvm',
      'kvm_pic_set_irq',
      [
        ['__u8 chip', 1],
        ['__u8 pin', 1],
        ['__u8 elcr', 1],
        ['__u8 imr', 1],
        ['bool coalesced', 1],
      ],
      '"chip %u pin %u (%s%s)%s", REC->chip, REC->pin, (REC->elcr & (1 << REC->pin)) ? "level":"edge", (REC->imr & (1 << REC->pin)) ? "|masked":"", REC->coalesced ? " (coalesced)" : ""',
    ] as const;
    const entry = ['kvm', 'kvm_entry', [u32('vcpu_id')], '"vcpu %u", REC->vcpu_id'] as const;
    const inject = ['kvm', 'kvm_inj_virq', [u32('irq')], '"irq %u", REC->irq'] as const;
    const { told, info } = several([
      { format: entry, values: [0] },
      { format: pic, values: [0, 4, 0, 0, 0] },
      { format: pic, values: [0, 3, 0, 1 << 3, 0] },
      { format: inject, values: [0x34] },
      { format: inject, values: [0x33] },
    ]);
    assert.deepEqual(
      told.slice(1).map((text) => /extint=true/.test(text)),
      [true, false],
    );
    assert.deepEqual(info.withoutEffect, { kvm_pic_set_irq: 2 });
  });

  it('a probe at an event is noted', () => {
    const format = ['eprobes', 'mine', [u64('desc')], '" desc=0x%Lx", REC->desc'] as const;
    const { told, info } = several([{ format, values: [255n] }]);
    assert.deepEqual(told, ['probe probe name=mine text=desc=0xff']);
    assert.equal(info.understood, 1);
  });
});
