// A machine for the capture script: a folder with the files of a kernel, and the few programs whose answers tell of a machine.
// Making the folder of a tracing instance fills it with files, as tracefs does; removing it keeps what was written there for the test.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { captureScript } from '../../src/kit/script.ts';

const FIXTURE = resolve(import.meta.dirname, '../fixtures/kit/trace.txt');

/**
 * Where programs are looked for: the script wants tar and mktemp, which every Linux has, but not every environment in which tests run
 * leads to them.
 */
export const PATH = [process.env['PATH'], '/usr/local/bin', '/usr/bin', '/bin'].join(':');

/** The shells of this system that the script must run under. */
const INSTALLED = [['dash'], ['busybox', 'sh']].filter(
  ([program, ...args]) => spawnSync(program!, [...args, '-c', ':'], { env: { PATH } }).status === 0,
);
export const SHELLS: readonly (readonly string[])[] = INSTALLED.length > 0 ? INSTALLED : [['sh']];

/** What differs between machines. */
export interface MachineSetup {
  readonly release?: string;
  readonly machine?: string;
  /** Functions in /proc/kallsyms. */
  readonly functions?: readonly string[];
  /** Lines of README of tracefs. */
  readonly readme?: string;
  /** Events as `system/name`. */
  readonly events?: readonly string[];
  readonly possibleCpus?: string;
  /** Probes that the kernel refuses, as a pattern of a shell. */
  readonly refuses?: string;
}

/** How the script ended. */
export interface Ran {
  readonly status: number | null;
  readonly out: Buffer;
  readonly err: string;
}

/** The host name of the machine. */
export const HOST = 'secret-host';

const COMMAND_LINE = 'BOOT_IMAGE=/vmlinuz root=UUID=0a1b token=hidden';
/** A probe that another user of the machine has set. */
export const OTHERS = 'p:kprobes/mine do_sys_openat2';

const README = 'place\n\t$stack<index>, $stack, $retval, $comm, $arg<N>,\n';

export class Machine {
  readonly root = mkdtempSync(join(tmpdir(), 'irqscope-kit-test-'));
  readonly tracing = join(this.root, 'sys/kernel/tracing');
  readonly instance = join(this.tracing, 'instances/irqscope');
  /** The instance as it was when the script removed it. */
  readonly removed = join(this.root, 'removed');
  /** Where the script makes its folder. */
  readonly temporary = join(this.root, 'tmp');
  readonly script = join(this.root, 'irqscope-kit.sh');

  #running: number | undefined;

  constructor(setup: MachineSetup = {}) {
    const {
      release = '6.1.0-50-cloud-amd64',
      machine = 'x86_64',
      functions = ['__pci_write_msi_msg', 'pci_msi_mask_irq', 'msi_next_desc', 'do_sys_openat2', 'irqfd_wakeup'],
      readme = README,
      events = [
        'irq_vectors/vector_config',
        'irq/irq_handler_entry',
        'irq/softirq_entry',
        'iommu/map',
        'sched/sched_switch',
      ],
      possibleCpus = '0-1',
      refuses,
    } = setup;
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), text);
    };
    const program = (name: string, text: string): void => {
      write(`bin/${name}`, `#!/bin/sh\n${text}\n`);
      chmodSync(join(this.root, 'bin', name), 0o755);
    };
    mkdirSync(this.temporary);
    mkdirSync(join(this.tracing, 'instances'), { recursive: true });
    write('sys/kernel/tracing/README', readme);
    write('sys/kernel/tracing/trace_clock', '[local] global mono boot\n');
    write('sys/kernel/tracing/kprobe_events', `${OTHERS}\n`);
    write('sys/kernel/tracing/tracing_on', '1\n');
    write('proc/kallsyms', functions.map((name) => `0000000000000000 T ${name}\t[module]\n`).join(''));
    write(
      'proc/interrupts',
      '           CPU0       CPU1\n 26:         10          0  IR-PCI-MSIX-0000:00:03.0    0-edge      nvme0q0\n',
    );
    write('proc/softirqs', '                    CPU0       CPU1\n          HI:          1          0\n');
    write('proc/irq/26/smp_affinity_list', '0-1\n');
    write('proc/uptime', '68.51 120.00\n');
    write('proc/meminfo', 'MemTotal:  507000 kB\nMemAvailable:     458752 kB\n');
    write('proc/cpuinfo', 'processor\t: 0\nprocessor\t: 1\n');
    write('proc/cmdline', `${COMMAND_LINE}\n`);
    write('sys/kernel/irq/26/hwirq', '0\n');
    write('sys/bus/pci/devices/0000:00:03.0/msi_irqs/26', 'msix\n');
    write('sys/devices/system/cpu/online', '0-1\n');
    write('sys/devices/system/cpu/possible', `${possibleCpus}\n`);
    write('sys/kernel/debug/irq/irqs/26', 'handler:  handle_edge_irq\n');
    write('sys/kernel/debug/iommu/intel/ir_translation_struct', 'Remapped Interrupt supported on IOMMU: dmar0\n');
    // The files of an instance.
    write('instance/tracing_on', '1\n');
    write('instance/trace_clock', '[local] global mono boot\n');
    write('instance/buffer_size_kb', '7 (expanded: 1408)\n');
    write('instance/trace_marker', '');
    write('instance/events/enable', '0\n');
    for (const cpu of [0, 1]) write(`instance/per_cpu/cpu${cpu}/stats`, 'entries: 4\noverrun: 0\ndropped events: 0\n');
    for (const event of [...events, ...functions.flatMap((name) => [`irqscope/${name}`, `irqscope/${name}_ret`])]) {
      write(`instance/events/${event}/enable`, '0\n');
      write(`instance/events/${event}/filter`, 'none\n');
    }
    cpSync(FIXTURE, join(this.root, 'instance/trace'));
    program(
      'uname',
      `case $1 in -n) echo ${HOST}.example.org ;; -r) echo '${release}' ;; -m) echo ${machine} ;; *) echo 'Linux ${release} #1 SMP ${machine}' ;; esac`,
    );
    program(
      'dmesg',
      `cat; echo '[    0.000000] Kernel command line: ${COMMAND_LINE}'; echo '[    1.000000] ${HOST} is up, ${HOST}.example.org ${HOST}'`,
    );
    program(
      'lspci',
      `echo "$1 $2"; for n in 1 2 3 4; do echo "0000:00:0$n.0 Non-Volatile memory controller: A B"; printf '\\tCapabilities: [40] MSI-X: Enable+ Count=5 Masked-\\n'; done`,
    );
    program(
      'mkdir',
      `case $1 in "${this.instance}") /bin/mkdir "$1" && cp -r "${this.root}/instance/." "$1" ;; *) exec /bin/mkdir "$@" ;; esac`,
    );
    program('rmdir', `case $1 in "${this.instance}") mv "$1" "${this.removed}" ;; *) exec /bin/rmdir "$@" ;; esac`);
    // A file takes every line: what the kernel would refuse does not get there.
    const refusing = refuses === undefined ? '' : ` case $1 in ${refuses}) return 1 ;; esac;`;
    writeFileSync(this.script, captureScript('1.2.3').replace('\nadd() {', `\nadd() {${refusing}`));
  }

  /** Runs the script under a shell; `input`: from standard input, as over ssh. `begun` gets the process once it runs. */
  run(
    shell: readonly string[],
    args: readonly string[],
    {
      input = false,
      env = {},
      begun,
    }: { input?: boolean; env?: NodeJS.ProcessEnv; begun?: (pid: number) => void } = {},
  ): Promise<Ran> {
    const [program, ...own] = shell;
    const child = spawn(program!, [...own, ...(input ? ['-s', '--'] : [this.script]), ...args], {
      cwd: this.root,
      env: {
        PATH: `${join(this.root, 'bin')}:${PATH}`,
        IRQSCOPE_ROOT: this.root,
        TMPDIR: this.temporary,
        ...env,
      },
      // A group of its own: what the script starts can be ended with it.
      detached: true,
    });
    this.#running = child.pid;
    return new Promise((done, fail) => {
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.on('error', fail);
      child.stdin.on('error', () => {});
      // Standard input stays open behind the script, as that of ssh in a terminal does.
      if (input) child.stdin.write(readFileSync(this.script));
      else child.stdin.end();
      child.on('close', () => (this.#running = undefined));
      child.on('close', (status) => done({ status, out: Buffer.concat(out), err: Buffer.concat(err).toString() }));
      begun?.(child.pid!);
    });
  }

  /** What kprobe_events of a kernel would hold now: each line sets a probe, a line with `-:` removes it. */
  probes(): string[] {
    const set = new Map<string, string>();
    for (const line of readFileSync(join(this.tracing, 'kprobe_events'), 'utf8').trimEnd().split('\n')) {
      const name = /^(?:[pr]|-):(\S+)/.exec(line)![1]!;
      if (line.startsWith('-')) set.delete(name);
      else set.set(name, line);
    }
    return [...set.values()];
  }

  /** All lines that were written into kprobe_events and set a probe of the script. */
  probesSet(): string[] {
    return readFileSync(join(this.tracing, 'kprobe_events'), 'utf8')
      .split('\n')
      .filter((line) => /^[pr]:irqscope/.test(line));
  }

  /** The files of the tar file, by their path below its one folder. */
  unpack(tar: Buffer): Map<string, string> {
    const to = join(this.root, 'unpacked');
    mkdirSync(to);
    writeFileSync(join(this.root, 'capture.tar'), tar);
    const { status, stderr } = spawnSync('tar', ['-xf', join(this.root, 'capture.tar'), '-C', to], { env: { PATH } });
    if (status !== 0) throw new Error(stderr.toString());
    const [folder, ...others] = readdirSync(to);
    if (folder === undefined || others.length > 0) throw new Error('expected one folder');
    const files = readdirSync(join(to, folder), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return new Map(
      files.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(join(to, folder).length + 1), readFileSync(path, 'utf8')];
      }),
    );
  }

  /** What a file of the removed instance holds, without the line break. */
  wasWritten(path: string): string | undefined {
    const file = join(this.removed, path);
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : undefined;
  }

  dispose(): void {
    // A script that hangs ends with the test.
    if (this.#running !== undefined)
      try {
        process.kill(-this.#running, 'SIGKILL');
      } catch {
        // It has ended.
      }
    rmSync(this.root, { recursive: true, force: true });
  }
}
