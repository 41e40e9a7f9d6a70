// The capture script on a machine of files: what it records, what it leaves behind, what it hides.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { answered } from '../cli/run.ts';
import { HOST, Machine, type MachineSetup, OTHERS, PATH, SHELLS } from './machine.ts';

interface KitJson {
  kit: number;
  version: string;
  kernel: string;
  machine: string;
  cpus: number;
  bufferKb: number;
  seconds: number;
  traceClock: string;
  clocks: { snapshot: number; at: string; realtime: string; until: string; uptime: string; trace: string | null }[];
  events: string[];
  refusedEvents: string[];
  filters: string[];
  probes: string[];
  refusedProbes: string[];
}

describe('capture script', function () {
  this.timeout(60_000);
  let machine: Machine;
  const on = (setup?: MachineSetup): Machine => (machine = new Machine(setup));
  before(function () {
    // The target of the script is Linux; Windows has no shell to run it.
    if (process.platform !== 'linux') this.skip();
  });
  afterEach(() => machine?.dispose());

  for (const shell of SHELLS) {
    const name = shell.join(' ');

    it(`${name}: records into one tar file and takes everything back`, async () => {
      on();
      const { status, out, err } = await machine.run(shell, ['--seconds', '1']);
      assert.equal(status, 0, err);
      const files = machine.unpack(out);
      const snapshot = [
        'clock.txt',
        'debug/iommu/intel/ir_translation_struct',
        'debug/irq/irqs/26',
        'dmesg.txt',
        'lspci.txt',
        'proc/interrupts',
        'proc/irq.txt',
        'proc/softirqs',
        'sys/cpu-online.txt',
        'sys/kernel-irq.txt',
        'sys/msi_irqs.txt',
        'uname.txt',
      ];
      assert.deepEqual(
        [...files.keys()].sort(),
        [
          'kit.json',
          ...['snapshot-0', 'snapshot-1'].flatMap((at) => snapshot.map((file) => `${at}/${file}`)),
          'trace',
          'trace-stats/cpu0.txt',
          'trace-stats/cpu1.txt',
        ].sort(),
      );
      assert.match(files.get('snapshot-1/proc/interrupts')!, /^ 26: .* nvme0q0$/m);
      assert.equal(files.get('snapshot-0/proc/irq.txt'), '/proc/irq/26/smp_affinity_list:0-1\n');
      assert.equal(files.get('snapshot-0/sys/kernel-irq.txt'), '/sys/kernel/irq/26/hwirq:0\n');
      assert.equal(files.get('snapshot-0/sys/msi_irqs.txt'), '/sys/bus/pci/devices/0000:00:03.0/msi_irqs/26:msix\n');
      assert.match(files.get('snapshot-0/lspci.txt')!, /^-D -vvvxxxx\n0000:00:01.0 /);
      const kit = JSON.parse(files.get('kit.json')!) as KitJson;
      assert.equal(kit.kit, 1);
      assert.equal(kit.version, '1.2.3');
      assert.equal(kit.kernel, '6.1.0-50-cloud-amd64');
      assert.equal(kit.cpus, 2);
      // Free memory 458752 KiB, a sixteenth of it for two CPUs.
      assert.equal(kit.bufferKb, 458752 / 16 / 2);
      assert.ok(kit.seconds >= 1 && kit.seconds < 30);
      assert.equal(machine.wasWritten('tracing_on'), '0');
      assert.equal(machine.wasWritten('events/enable'), '0');
      assert.equal(existsSync(machine.instance), false);
      assert.deepEqual(machine.probes(), [OTHERS]);
      assert.deepEqual(readdirSync(machine.temporary), []);
      assert.equal(readFileSync(join(machine.tracing, 'tracing_on'), 'utf8'), '1\n');
    });

    it(`${name}: a signal in the middle takes everything back, and nothing is written`, async () => {
      on();
      let inTheMiddle: string[] = [];
      const { status, out } = await machine.run(shell, ['--seconds', '50'], {
        begun: async (pid) => {
          const recording = join(machine.instance, 'events/irqscope/__pci_write_msi_msg/enable');
          const mark = join(machine.instance, 'trace_marker');
          const says = (file: string, text: string): boolean =>
            existsSync(file) && readFileSync(file, 'utf8').startsWith(text);
          while (!says(recording, '1') || !says(mark, 'irqscope: clock snapshot-0 end')) await pause(20);
          inTheMiddle = machine.probes();
          process.kill(pid, 'SIGTERM');
        },
      });
      assert.equal(status, 143);
      assert.equal(out.length, 0);
      assert.equal(inTheMiddle.length, 4);
      assert.deepEqual(machine.probes(), [OTHERS]);
      assert.equal(existsSync(machine.instance), false);
      assert.equal(machine.wasWritten('tracing_on'), '0');
      assert.deepEqual(readdirSync(machine.temporary), []);
    });

    it(`${name}: runs from standard input, while a command runs whose output stays out of the tar file`, async () => {
      on();
      const args = ['--', 'sh', '-c', 'echo from the command; cat'];
      const { status, out, err } = await machine.run(shell, args, { input: true });
      assert.equal(status, 0, err);
      assert.match(err, /^from the command$/m);
      const files = machine.unpack(out);
      assert.ok(!files.get('kit.json')!.includes('from the command'));
    });
  }

  it('pairs the time of day with the stamps that the trace gave to its marks', async () => {
    on();
    const { clocks, traceClock } = await kitJson(machine);
    assert.equal(traceClock, 'mono');
    assert.deepEqual(
      clocks.map(({ snapshot, at, trace }) => [snapshot, at, trace]),
      // The stamps of the marks in the fixture.
      [
        [0, 'begin', '69.310571'],
        [0, 'end', '74.172298'],
        [1, 'begin', '75.826646'],
        [1, 'end', '78.205302'],
      ],
    );
    for (const { realtime, until } of clocks) {
      assert.match(realtime, /^\d{10,}\.\d{9}$/);
      assert.ok(Number(until) >= Number(realtime));
      assert.ok(Math.abs(Number(realtime) - Date.now() / 1000) < 60);
    }
    assert.match(machine.wasWritten('trace_marker')!, /^irqscope: clock snapshot-1 end realtime=\d/);
  });

  it('takes the events that the kernel has, with the filters of those that flood', async () => {
    on();
    const { events, filters } = await kitJson(machine);
    assert.deepEqual(events, ['irq_vectors:vector_config', 'irq:irq_handler_entry', 'iommu:map', 'sched:sched_switch']);
    const threads = 'prev_comm ~ "irq/*" || next_comm ~ "irq/*"';
    assert.deepEqual(filters, [
      'iommu:map if iova >= 0x8000000 && iova < 0x8100000',
      `sched:sched_switch if ${threads}`,
    ]);
    for (const [event, on] of [
      ['irq_vectors/vector_config', '1'],
      ['irq/irq_handler_entry', '1'],
      ['irq/softirq_entry', '0'],
      ['sched/sched_switch', '1'],
      ['irqscope/__pci_write_msi_msg', '1'],
    ])
      assert.equal(machine.wasWritten(`events/${event}/enable`), on, event);
    assert.equal(machine.wasWritten('events/iommu/map/filter'), 'iova >= 0x8000000 && iova < 0x8100000');
    assert.equal(machine.wasWritten('events/sched/sched_switch/filter'), threads);
  });

  it('takes more events when asked', async () => {
    on();
    const { events, filters } = await kitJson(machine, ['--sched', '--events', 'irq:*,none:such']);
    // Of all threads: the event has no filter then.
    assert.equal(machine.wasWritten('events/sched/sched_switch/filter'), 'none');
    assert.ok(!filters.some((text) => text.startsWith('sched:')), filters.join(' '));
    assert.ok(events.includes('sched:sched_switch'));
    assert.ok(events.includes('irq:softirq_entry'));
    assert.ok(!events.includes('none:such'));
  });

  it('probes only functions that the kernel has', async () => {
    on({ functions: ['pci_msi_mask_irq', 'irqfd_wakeup', 'kvm_irqfd.isra.0', 'x__pci_write_msi_msg'] });
    const { probes } = await kitJson(machine);
    assert.deepEqual(probes, [
      'p:irqscope/pci_msi_mask_irq pci_msi_mask_irq irq=+4($arg1):u32 hwirq=+8($arg1):u64',
      'p:irqscope/irqfd_wakeup irqfd_wakeup',
    ]);
    assert.deepEqual(machine.probesSet(), probes);
  });

  it('sets no probe with --no-probes', async () => {
    on();
    assert.deepEqual((await kitJson(machine, ['--no-probes'])).probes, []);
    assert.deepEqual(machine.probesSet(), []);
  });

  const MSI = ['__pci_write_msi_msg'];
  const MESSAGE = 'lo=+0($arg2):x32 hi=+4($arg2):x32 data=+8($arg2):x32';
  const WITH_BTF = 'fetcharg: <argname>[->field[->field|.field...]],\n $arg<N>,\n';
  const layouts: readonly (readonly [string, MachineSetup, string])[] = [
    ['a list head first, to 5.16', { release: '5.15.0-91-generic', functions: MSI }, `irq=+16($arg1):u32 ${MESSAGE}`],
    [
      'the irq first, when msi_next_desc is there',
      { functions: [...MSI, 'msi_next_desc'] },
      `irq=+0($arg1):u32 ${MESSAGE}`,
    ],
    [
      'a kernel of a distribution with the later layout under an older number',
      { release: '5.14.0-427.el9.x86_64', functions: [...MSI, 'msi_next_desc'] },
      `irq=+0($arg1):u32 ${MESSAGE}`,
    ],
    ['neither can be told', { release: '5.19.0', functions: MSI }, MESSAGE],
    ['before 4.4', { release: '3.10.0-1160.el7.x86_64', functions: MSI }, MESSAGE],
    ['32 bits', { release: '5.15.0', machine: 'i686', functions: MSI }, MESSAGE],
    [
      'members by name',
      { release: '6.8.0-31-generic', functions: MSI, readme: WITH_BTF },
      `irq=entry->irq:u32 msi_index=entry->msi_index:u16 ${MESSAGE}`,
    ],
    [
      'registers of x86',
      { release: '4.14.0', readme: '$retval', functions: MSI },
      'irq=+16(%di):u32 lo=+0(%si):x32 hi=+4(%si):x32 data=+8(%si):x32',
    ],
    [
      'registers of arm64',
      { release: '4.14.0', machine: 'aarch64', readme: '$retval', functions: MSI },
      'irq=+16(%x0):u32 lo=+0(%x1):x32 hi=+4(%x1):x32 data=+8(%x1):x32',
    ],
  ];
  for (const [what, setup, args] of layouts)
    it(`reads arguments at their places: ${what}`, async () => {
      on(setup);
      const { probes } = await kitJson(machine);
      assert.deepEqual(probes, [`p:irqscope/__pci_write_msi_msg __pci_write_msi_msg ${args}`]);
    });

  it('reads no argument where nothing tells how arguments are passed', async () => {
    on({ machine: 'mips64', readme: '', functions: ['__pci_write_msi_msg', 'pci_msi_mask_irq'] });
    assert.deepEqual((await kitJson(machine)).probes, ['p:irqscope/pci_msi_mask_irq pci_msi_mask_irq']);
  });

  it('probes behind what the function tracer owns on RISC-V, and reads arguments from their registers there', async () => {
    // Linux 6.12 on riscv64: EINVAL at the first byte of a function, and for $arg1 behind it.
    on({
      release: '6.12.117+deb13-riscv64',
      machine: 'riscv64',
      functions: ['__pci_write_msi_msg', 'pci_irq_mask_msix', 'irqfd_wakeup', 'msi_next_desc'],
      readme: WITH_BTF,
      refuses: "*arg*|*'->'*|p:irqscope/irqfd_wakeup' 'irqfd_wakeup|*_msix' 'pci_irq_mask_msix",
    });
    const { probes } = await kitJson(machine);
    assert.deepEqual(probes, [
      'p:irqscope/__pci_write_msi_msg __pci_write_msi_msg+8 irq=+0(%a0):u32 lo=+0(%a1):x32 hi=+4(%a1):x32 data=+8(%a1):x32',
      'p:irqscope/pci_irq_mask_msix pci_irq_mask_msix+8 irq=+4(%a0):u32 hwirq=+8(%a0):u64',
      'p:irqscope/irqfd_wakeup irqfd_wakeup+8',
    ]);
  });

  it('reads a CPU mask only where its first word is all of it', async () => {
    const functions = ['its_set_affinity'];
    on({ machine: 'aarch64', functions, possibleCpus: '0-63' });
    assert.match((await kitJson(machine)).probes[0]!, / mask=\+0\(\$arg2\):x64$/);
    machine.dispose();
    on({ machine: 'aarch64', functions, possibleCpus: '0-127' });
    assert.match((await kitJson(machine)).probes[0]!, /lpi=\+8\(\$arg1\):u64$/);
  });

  it('keeps the files of more irqs than the arguments of one program can name', async () => {
    on();
    const IRQS = 700;
    for (let irq = 100; irq < 100 + IRQS; irq++) {
      const folder = join(machine.root, `proc/irq/${irq}`);
      mkdirSync(join(folder, "driver's part"), { recursive: true });
      for (const file of ['smp_affinity_list', 'effective_affinity_list', 'node'])
        writeFileSync(join(folder, file), `${irq % 4}\n`);
    }
    // The kernel gives a quarter of the stack to arguments, 128 KiB at least; the names above take more.
    const limited = ['sh', '-c', 'ulimit -s 512; exec sh "$0" "$@"'];
    const { status, out, err } = await machine.run(limited, ['--seconds', '1']);
    assert.equal(status, 0, err);
    const lines = machine.unpack(out).get('snapshot-0/proc/irq.txt')!.trimEnd().split('\n');
    assert.equal(lines.length, 3 * IRQS + 1);
    assert.ok(lines.includes('/proc/irq/799/node:3'));
  });

  it('hides the host name and the command lines', async () => {
    on();
    const { out, err } = await machine.run(SHELLS[0]!, ['--', 'true']);
    const files = machine.unpack(out);
    assert.equal(files.get('snapshot-0/dmesg.txt'), '[    1.000000] HOST is up, HOST HOST\n', err);
    for (const [file, text] of files) {
      assert.ok(!text.includes(HOST), file);
      assert.ok(!text.includes('token=hidden'), file);
    }
    assert.ok(!out.includes(HOST));
  });

  it('tells the command lines with --with-cmdline', async () => {
    on();
    const { out } = await machine.run(SHELLS[0]!, ['--with-cmdline', '--', 'sh', '-c', 'echo "a  b"']);
    const files = machine.unpack(out);
    const kit = JSON.parse(files.get('kit.json')!) as { kernelCommandLine: string; command: string };
    assert.match(kit.kernelCommandLine, /token=hidden/);
    assert.equal(kit.command, 'sh -c echo "a  b"');
    assert.match(files.get('snapshot-0/dmesg.txt')!, /Kernel command line: .*token=hidden/);
  });

  it('writes a file with --output', async () => {
    on();
    const { status, out, err } = await machine.run(SHELLS[0]!, ['-s', '1', '-o', 'here.tar']);
    assert.equal(status, 0, err);
    assert.equal(out.length, 0);
    assert.ok(machine.unpack(readFileSync(join(machine.root, 'here.tar'))).has('trace'));
    assert.equal(existsSync(join(machine.root, 'here.tar.part')), false);
  });

  it('leaves the instance of another recording alone, and removes a dead one with --clean', async () => {
    on();
    mkdirSync(machine.instance);
    writeFileSync(join(machine.tracing, 'kprobe_events'), `${OTHERS}\np:irqscope/x y\n`);
    const second = await machine.run(SHELLS[0]!, ['-s', '1']);
    assert.equal(second.status, 1);
    assert.match(second.err, /another recording runs, or one was killed.*--clean/);
    assert.ok(existsSync(machine.instance));
    assert.equal(machine.probes().length, 2);
    const clean = await machine.run(SHELLS[0]!, ['--clean']);
    assert.equal(clean.status, 0);
    assert.equal(existsSync(machine.instance), false);
    assert.deepEqual(machine.probes(), [OTHERS]);
  });

  it('refuses what it cannot do with one line', async () => {
    on();
    for (const [args, line] of [
      [['--seconds', '0'], /^irqscope-kit: --seconds 0: expected a whole number above 0; see --help\n$/],
      [['--seconds'], /--seconds needs a value/],
      [['--nonsense'], /there is no option --nonsense/],
      [['--clock', 'sundial'], /--clock sundial: this kernel offers local global mono boot/],
    ] as const) {
      const { status, err } = await machine.run(SHELLS[0]!, args);
      assert.notEqual(status, 0);
      assert.match(err, line);
    }
    assert.deepEqual(machine.probes(), [OTHERS]);
    assert.equal(existsSync(machine.instance), false);
    const { status, err } = await machine.run(SHELLS[0]!, [], { env: { IRQSCOPE_ROOT: join(machine.root, 'bin') } });
    assert.equal(status, 1);
    assert.match(err, /there is no tracefs/);
  });

  it('is one trace for irqscope, as a folder and as a tar file', async () => {
    on();
    const { out } = await machine.run(SHELLS[0]!, ['--', 'true']);
    machine.unpack(out);
    const [folder] = readdirSync(join(machine.root, 'unpacked'));
    for (const file of [join(machine.root, 'unpacked', folder!), join(machine.root, 'capture.tar')]) {
      const { status, out: text } = await answered(['info', file, '--json']);
      assert.equal(status, 0);
      const { sources } = JSON.parse(text) as { sources: { format: string; records: number; understood: number }[] };
      const trace = sources.filter(({ format }) => format === 'ftrace-text');
      assert.equal(trace.length, 1);
      assert.equal(trace[0]!.records, trace[0]!.understood);
      // Two snapshots, each with what lspci -D -vvvxxxx printed.
      assert.deepEqual(
        sources.filter(({ format }) => format === 'lspci').map(({ records, understood }) => [records, understood]),
        [
          [8, 8],
          [8, 8],
        ],
      );
      const { out: events } = await answered(['events', file, '--json', '--filter', 'kind == msg.write']);
      assert.match(events, /"object":"irq\/28"/);
    }
  });

  it('passes shellcheck, where it is installed', function () {
    if (spawnSync('shellcheck', ['--version']).status !== 0) this.skip();
    on();
    const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', machine.script]);
    assert.equal(status, 0, stdout.toString());
  });

  it('is a script by the rules of every shell here, and explains itself', async () => {
    on();
    for (const [program, ...args] of SHELLS)
      assert.equal(spawnSync(program!, [...args, '-n', machine.script], { env: { PATH } }).status, 0, program);
    const { status, out } = await machine.run(SHELLS[0]!, ['--help']);
    assert.equal(status, 0);
    const accepted = /case \$1 in\n((?: {6}.*\n)+?) {6}\*\) misused/.exec(readFileSync(machine.script, 'utf8'))![1]!;
    for (const option of accepted.match(/--[a-z][a-z-]+/g)!) assert.ok(out.includes(option), option);
  });
});

async function kitJson(machine: Machine, args: readonly string[] = []): Promise<KitJson> {
  const { status, out, err } = await machine.run(SHELLS[0]!, [...args, '--', 'true']);
  assert.equal(status, 0, err);
  return JSON.parse(machine.unpack(out).get('kit.json')!) as KitJson;
}
