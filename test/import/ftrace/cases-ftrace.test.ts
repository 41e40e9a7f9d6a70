// Records of ftrace whose head has one of many forms, and marks: cases with their right values, and variants of each kind.
import assert from 'node:assert/strict';
import { ImportError } from '../../../src/import/run.ts';
import { stateTree } from '../../../src/query/state.ts';
import { Case, file, textOfCase } from '../case.ts';

describe('heads of ftrace records', () => {
  /** A file of the cases in which the kernel's header stands in front, as it does in the files of the kernel. */
  const headed = (text: string): Case => new Case(`# tracer: nop\n#\n${text}`);

  it('kvm-time-only.txt: only time and event', () => {
    const c = headed(textOfCase('kvm-time-only.txt').split('\n').slice(1).join('\n'));
    assert.equal(c.info.records, 11);
    assert.equal(c.info.understood, 11);
    assert.equal(c.at('vcpu/0/exits'), 2);
    assert.equal(c.at('vcpu/0/inGuest'), false);
    assert.notEqual(c.at('vcpu/0/vector/176/requested'), true);
    assert.notEqual(c.at('vcpu/0/vector/176/inService'), true);
    assert.deepEqual([c.info.start, c.info.end], ['220.696238', '220.696240']);
    // Without a thread, nothing tells whose vector it is.
    const injection = c.views(9)[0]!;
    assert.deepEqual(
      [injection.kind, injection.object, injection.fields['vector']],
      ['apic.inj', 'vcpu/unknown/injection', 176],
    );
    assert.equal(injection.cpu, null);
  });

  it('ipi-without-task.txt: CPU, time and event', () => {
    const c = headed(textOfCase('ipi-without-task.txt').split('\n').slice(2).join('\n'));
    assert.equal(c.info.records, 8);
    assert.equal(c.at('irq/2/handled'), 1);
    assert.equal(c.at('irq/2/name'), 'IPI');
    assert.equal(c.at('irq/2/running'), 7);
  });

  it('heads that are cut off anywhere: the same event', () => {
    const whole = '     CPU 0/KVM-77    (     70) [003] d.h1.    10.000001: irq_handler_entry: irq=24 name=nvme0q0';
    for (const from of [0, 8, 14, 16, 28, 31, 35, 38, 41, 42]) {
      const c = headed(`${whole.slice(from)}\n`);
      assert.equal(c.info.understood, 1, whole.slice(from));
      assert.deepEqual(c.events(3), ['irq.entry irq/24'], whole.slice(from));
      assert.equal(c.info.start, '10.000001');
    }
  });

  it('a record whose CPU is not told is of no CPU', () => {
    for (const [payload, event] of [
      ['local_timer_entry: vector=236', 'vector.entry buffer/unknown/vector/236'],
      ['local_timer_exit: vector=236', 'vector.exit buffer/unknown/vector/236'],
      ['ipi_entry: (Function call interrupts)', 'ipi.entry buffer/unknown'],
      ['ipi_raise: target_mask=00000002 (Rescheduling interrupts)', 'ipi.send buffer/unknown'],
    ] as const) {
      const c = headed(`10.000001: ${payload}\n`);
      assert.deepEqual(c.events(3), [event]);
      assert.equal(c.at('cpu/0'), null, payload);
    }
  });

  it('heads that are no heads: a number with a colon before words', () => {
    for (const text of ['12.345678: see below: it works', '3.141592: pi', 'took 10.000001: fine'])
      assert.throws(() => headed(`${text}\n`), ImportError, text);
  });

  it('oob-flags.txt, other widths and signs of the flags', () => {
    const c = file('oob-flags.txt');
    assert.equal(c.at('irq/4354/handled'), 1);
    assert.equal(c.at('irq/4354/name'), 'Out-of-band LAPIC timer interrupt');
    for (const flags of ['d.h', 'd.h1', '*.~.', 'd.h1.', 'd..h1.', 'd..h1..', 'D..H1.12', 'dnLh1.123']) {
      const one = headed(`          <idle>-0       [001] ${flags}   135.363233: irq_handler_entry: irq=7 name=a b\n`);
      assert.equal(one.at('irq/7/handled'), 1, flags);
      const glued = new Case(
        `# nop latency trace v1.1.5 on 6.12\n  <idle>-0       1${flags} 2563695110us : irq_handler_entry: irq=7 name=a b\n`,
      );
      assert.equal(glued.at('irq/7/handled'), 1, flags);
    }
  });

  it('ftrace-tgid-no-header.txt and other-hitrace.txt: the TGID, also where the kernel did not know it', () => {
    const c = file('ftrace-tgid-no-header.txt');
    assert.equal(c.info.records, 9);
    assert.deepEqual([c.at('irq/1507/handled'), c.at('irq/19/handled')], [1, 1]);
    assert.equal(c.at('irq/19/name'), '408000.cpu-mon');
    const h = file('other-hitrace.txt');
    assert.equal(h.info.records, 3);
    assert.equal(h.info.understood, 3);
    assert.deepEqual([h.at('irq/11/handled'), h.at('irq/19/handled')], [1, 1]);
    for (const tgid of ['(-----)', '(  -----)', '(-------)', '(   77)', '(77)'])
      assert.equal(
        headed(`  clk0-2716 ${tgid} [000] d.h1 1.280362: irq_handler_entry: irq=19 name=x\n`).info.understood,
        1,
      );
  });

  it('rt-latency-annotated.txt: latency lines with 7 flag columns, their notes left out', () => {
    const text = textOfCase('rt-latency-annotated.txt')
      .replace(/ <=====.*/g, '')
      .replace('...\n', '');
    const c = headed(text);
    assert.equal(c.info.records, 5);
    assert.equal(c.at('cpu/1/vector/236/entries'), 1);
  });

  it('rt-7-flags-wrapped.txt: 7 flag columns', () => {
    const c = new Case(textOfCase('rt-7-flags-wrapped.txt').replace(/:\n(?=target_mask|\()/g, ': '));
    assert.equal(c.info.records, 4);
    assert.equal(c.info.understood, 4);
    assert.deepEqual(c.events(12), ['ipi.send cpu/9']);
    assert.deepEqual(c.events(13), ['ipi.entry cpu/1']);
  });

  it('trace-cmd report -l: CPU and flags glued together in front of seconds', () => {
    for (const [line, cpu] of [
      ['trace-cm-2068    3d.h..   110.084112775: local_timer_entry:    vector=236', 3],
      ['  <idle>-0      12d.h1.   110.086764: local_timer_entry:    vector=236', 12],
      ['      sh-2073    1dNh1...   110.088379656: local_timer_entry:    vector=236', 1],
    ] as const) {
      const c = new Case(`cpus=16\n${line}\n`);
      assert.equal(c.info.understood, 1, line);
      assert.equal(c.at(`cpu/${cpu}/vector/236/entries`), 1);
    }
  });

  it('trace-printk.txt and trace-cmd-bprint.txt: texts of trace_printk() are marks', () => {
    const c = file('trace-printk.txt');
    assert.equal(c.info.understood, 2);
    assert.deepEqual(c.events(1), ['mark marker']);
    assert.match(String(c.views(1)[0]!.fields['text']), /: \[\+\] irq: \[86\] handler: my_irq\+0x0\/0x6ec$/);
    assert.match(String(c.views(2)[0]!.fields['text']), /VMEntry: intr_info=800000d1 errcode=00000000$/);
    const t = file('trace-cmd-bprint.txt');
    assert.equal(t.info.understood, 6);
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map((line) => t.events(line)[0]),
      new Array(6).fill('mark marker'),
    );
    assert.match(String(t.views(2)[0]!.fields['text']), /KVM\/VMX: \[CURRENT\]$/);
    const printed = (payload: string): unknown =>
      headed(`  a-1 [000] d.h. 1.000001: ${payload}\n`).views(3)[0]?.fields['text'];
    assert.equal(printed('my_isr+0x10/0x20 [nvme]: queue 3'), 'my_isr+0x10/0x20 [nvme]: queue 3');
    // seq_print_ip_sym with the option sym-addr, of symbols that the compiler made, without a symbol, without an address.
    for (const place of [
      'my_isr <ffffffffc0123456>',
      'my_isr+0x10/0x20 [nvme] <ffffffffc0123456>',
      'my_isr.isra.0',
      'nvme_irq.constprop.12',
      '0xffffffffc0123456',
      '0',
    ])
      assert.equal(printed(`${place}: queue: 3 of 4`), `${place}: queue: 3 of 4`);
    // A plain symbol may as well be an event that is not known; some names of events begin with a digit.
    for (const name of ['my_isr', '9p_client_req', '0x1', '0day_seen'])
      assert.deepEqual(headed(`  a-1 [000] d.h. 1.000001: ${name}: queue 3\n`).info.unknown, { [name]: 1 });
    assert.equal(printed('print: tracing_mark_write: hello'), 'hello');
    assert.equal(printed('tracing_mark_write: hello'), 'hello');
  });
});

describe('names and numbers for none', () => {
  const records = (...payloads: readonly string[]): Case =>
    new Case(
      payloads
        .map((p, i) => `          <idle>-0       [000] d.h1.    10.${String(i).padStart(6, '0')}: ${p}\n`)
        .join(''),
    );
  const entry = (irq: number, name: string): string => `irq_handler_entry: irq=${irq} name=${name}`;
  const exit = (irq: number): string => `irq_handler_exit: irq=${irq} ret=unhandled`;

  it('ftrace-function-stacks.txt: two actions share irq 56', () => {
    const c = file('ftrace-function-stacks.txt');
    assert.equal(c.info.records, 14);
    assert.equal(c.info.understood, 14);
    assert.deepEqual([c.at('irq/86/handled'), c.at('irq/56/handled'), c.at('irq/162/handled')], [3, 2, 1]);
    assert.equal(c.at('irq/56/name'), 'dwc_otg, dwc_otg_pcd');
    assert.equal(c.at('irq/86/name'), 'mmc1');
  });

  it('ftrace-function-stacks: an irq with three actions, one that was requested again, names with commas', () => {
    const pass = [entry(9, 'acpi'), exit(9), entry(9, 'i801, smbus'), exit(9), entry(9, 'ttyS0'), exit(9)];
    const shared = records(...pass, ...pass);
    assert.equal(shared.at('irq/9/name', 2), 'acpi');
    assert.equal(shared.at('irq/9/name'), 'acpi, i801, smbus, ttyS0');
    const again = records(entry(9, 'nvme0q1'), exit(9), entry(9, 'vfio'), exit(9), entry(9, 'vfio'), exit(9));
    assert.equal(again.at('irq/9/name'), 'vfio');
    const setup = records(entry(9, 'nvme0q1'), exit(9), 'vector_setup: irq=9 is_legacy=0 ret=0', entry(9, 'vfio'));
    assert.equal(setup.at('irq/9/name'), 'vfio');
  });

  it('ftrace-function-stacks: names without end do not pile up', () => {
    const many = records(...Array.from({ length: 2000 }, (_, i) => entry(9, `action-${i}`)));
    assert.ok(String(many.at('irq/9/name')).length <= 300);
    assert.match(String(many.at('irq/9/name')), /action-1999$/);
  });

  it('a previous vector of 0 is none', () => {
    const c = records(
      'vector_update: irq=30 vector=36 cpu=1 prev_vector=0 prev_cpu=0',
      'vector_update: irq=30 vector=37 cpu=2 prev_vector=36 prev_cpu=1',
      'vector_free_moved: irq=30 cpu=1 vector=36 is_managed=0',
    );
    assert.equal(c.at('irq/30/prevVector', 1), null);
    assert.equal(c.at('irq/30/prevVector', 2), 36);
    assert.equal(c.at('irq/30/prevVector'), null);
  });

  it('the device N/A of a route is none', () => {
    const c = new Case(
      'kvm_irqchip_add_msi_route dev N/A vector 0 virq 20\nkvm_irqchip_add_msi_route dev nvme vector 1 virq 21\n',
    );
    assert.equal(c.at('kvm/0/route/20/device'), null);
    assert.equal(c.at('kvm/0/route/21/device'), 'nvme');
  });
});

describe('names and numbers that are made to harm', () => {
  const record = (payload: string): Case => new Case(`# tracer: nop\n a-1 [000] d..1. 10.000002: ${payload}\n`);

  it('name-proto.txt: a probe of a function named __proto__', () => {
    const c = file('name-proto.txt');
    assert.equal(c.info.records, 3);
    assert.equal(c.info.understood, 3);
    assert.equal(c.at('irq/24/handled'), 1);
    assert.deepEqual(c.events(4), ['probe probe']);
  });

  it('name-proto: names of members of every object, as event, probe, function, argument and field', () => {
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
      const event = record(`${name}: a=1`);
      assert.deepEqual(Object.entries(event.info.unknown), [[name, 1]]);
      for (const payload of [
        `${name}: (do_it+0x0/0x40) a=1`,
        `p: (${name}+0x0/0x40) a=1`,
        `p: (do_it+0x0/0x40) ${name}=1`,
        `p: (kvm_irqfd+0x0/0x40) ${name}=1 gsi=5 fd=6`,
        `kvm_exit: ${name}=1 exit_reason=0x1 (1)`,
        `irq_handler_entry: irq=24 name=${name}`,
      ])
        assert.equal(record(payload).info.understood, 1, payload);
    }
  });

  it('paths of 20,000 segments: the state of the rest can be asked for', () => {
    const deep = `${'a/'.repeat(20_000)}b`;
    for (const payload of [
      `irq_handler_entry: irq=24 name=vfio-msix[0](${deep})`,
      `attach_device_to_domain: IOMMU: device=${deep}`,
      `qi_submit: iec_inv ${deep}: 0x4 0x0 0x0 0x0`,
    ]) {
      const c = new Case(
        `# tracer: nop\n a-1 [000] d..1. 10.000001: irq_handler_entry: irq=7 name=x\n a-1 [000] d..1. 10.000002: ${payload}\n`,
      );
      assert.equal(c.info.records, 2);
      assert.equal((stateTree(c.trace.head) as { irq: { 7: { handled: number } } }).irq[7].handled, 1);
    }
  });
});

describe('what info does not know', () => {
  const record = '          <idle>-0       [001] d.h1.    10.000001: irq_handler_entry: irq=24 name=a\n';

  it('a loss of unknown size makes the sum unknown; each is counted', () => {
    for (const [marker, lost, gaps] of [
      ['CPU:1 [LOST EVENTS]', null, 1],
      ['CPU:1 [EVENTS DROPPED]', null, 1],
      ['CPU:1 [LOST 5 EVENTS]', 5, 0],
      ['CPU:1 [5 EVENTS DROPPED]', 5, 0],
      ['CPU:1 [5 EVENTS DROPPED]\nCPU:0 [EVENTS DROPPED]', null, 1],
    ] as const) {
      const { info } = new Case(`${record}${marker}\n${record}`);
      assert.deepEqual([info.lost, info.gaps], [lost, gaps], marker);
    }
    assert.deepEqual([new Case(record).info.lost, new Case(record).info.gaps], [0, 0]);
  });

  it('a clock that is not told, CPUs of which there is none', () => {
    const { info } = new Case(record);
    assert.deepEqual([info.clock, info.cpus], [null, 1]);
    const qemu = new Case('kvm_irqchip_commit_routes\n').info;
    assert.deepEqual([qemu.clock, qemu.cpus], ['none', null]);
    assert.equal(new Case(' 220.696238: kvm_eoi: apicid 0 vector 176\n').info.cpus, null);
  });
});
