/**
 * Large logs, written as text so that the importers read them as they read any log. The same sizes give the same bytes.
 * Two shapes: ftrace text of a kernel that serves interrupts, and a QEMU log of emulated functions that send MSI-X
 * messages through VT-d. Both set up every interrupt first and then let random ones fire.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Random } from '../../src/base/random.ts';

/** What a generated log holds. */
export interface LogSpec {
  readonly format: 'ftrace' | 'qemu';
  /** Least number of records that become events. */
  readonly events: number;
  /** How many interrupts there are: irqs in ftrace text; MSI-X entries, each with its IRTE, in a QEMU log. */
  readonly objects: number;
}

/** The first irq that fires. It takes one interrupt in sixteen. */
export const HOT_IRQ = 24;
/** This irq is set up, never fires, and is moved to another CPU once, when nine tenths of the log are written. */
export const COLD_IRQ = 25;

const HOT_SHARE = 16;
const COLD_MOVES_AT = 0.9;
/** One interrupt in so many is moved to another CPU (ftrace) or masked, changed and unmasked (QEMU). */
const CHANGE_EVERY = 64;
const FLUSH = 1 << 20;

/** Writes lines to a file and counts them. */
class Lines {
  count = 0;
  readonly #fd: number;
  #waiting: string[] = [];
  #size = 0;

  constructor(file: string) {
    this.#fd = openSync(file, 'w');
  }

  add(line: string): void {
    this.#waiting.push(line);
    this.#size += line.length;
    this.count++;
    if (this.#size >= FLUSH) this.#flush();
  }

  end(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    if (this.#waiting.length > 0) writeSync(this.#fd, `${this.#waiting.join('\n')}\n`);
    this.#waiting = [];
    this.#size = 0;
  }
}

/** Writes a log to a file. */
export function generate({ format, events, objects }: LogSpec, file: string): void {
  const lines = new Lines(file);
  const random = new Random(objects);
  const shape = format === 'ftrace' ? new FtraceShape(lines, random, objects) : new QemuShape(lines, random, objects);
  const end = lines.count + events;
  const cold = end * COLD_MOVES_AT;
  let moved = false;
  while (lines.count < end) {
    if (!moved && lines.count >= cold) {
      shape.change(1);
      moved = true;
    }
    // Interrupt 1 is the cold one.
    const n = random.integer(1, HOT_SHARE) === 1 ? 0 : random.integer(0, objects - 1);
    if (n === 1) continue;
    shape.fire(n);
    if (random.integer(1, CHANGE_EVERY) === 1) shape.change(n);
  }
  lines.end();
}

const CPUS = 128;
const FIRST_VECTOR = 33;

/** Each irq has a place on one of the lower CPUs and another one on one of the upper CPUs; a change moves it between them. */
class FtraceShape {
  readonly #lines: Lines;
  readonly #random: Random;
  readonly #away: Uint8Array;
  #micros = 1_000_000;

  constructor(lines: Lines, random: Random, objects: number) {
    this.#lines = lines;
    this.#random = random;
    this.#away = new Uint8Array(objects);
    lines.add(`# tracer: nop\n#\n# entries-in-buffer/entries-written: 1/1   #P:${CPUS}\n#`);
    for (let n = 0; n < objects; n++) {
      const irq = HOT_IRQ + n;
      this.#line(0, `vector_setup: irq=${irq} is_legacy=0 ret=0`);
      this.#line(0, `vector_update: irq=${irq} vector=${this.#vector(n)} cpu=${this.#cpu(n)} prev_vector=0 prev_cpu=0`);
      this.#config(n);
    }
  }

  fire(n: number): void {
    const cpu = this.#cpu(n);
    const irq = HOT_IRQ + n;
    this.#line(cpu, `irq_handler_entry: irq=${irq} name=nvme${n >> 6}q${n & 63}`);
    this.#line(cpu, `irq_handler_exit: irq=${irq} ret=handled`);
  }

  change(n: number): void {
    const irq = HOT_IRQ + n;
    const [cpu, vector] = [this.#cpu(n), this.#vector(n)];
    this.#away[n]! ^= 1;
    const to = this.#cpu(n);
    this.#line(0, `vector_update: irq=${irq} vector=${vector} cpu=${to} prev_vector=${vector} prev_cpu=${cpu}`);
    this.#config(n);
    this.#line(to, `vector_free_moved: irq=${irq} cpu=${cpu} vector=${vector} is_managed=0`);
  }

  #config(n: number): void {
    const cpu = this.#cpu(n);
    const apic = cpu.toString(16).padStart(8, '0');
    this.#line(0, `vector_config: irq=${HOT_IRQ + n} vector=${this.#vector(n)} cpu=${cpu} apicdest=0x${apic}`);
  }

  #cpu(n: number): number {
    return (n % (CPUS / 2)) + (this.#away[n] === 1 ? CPUS / 2 : 0);
  }

  #vector(n: number): number {
    return FIRST_VECTOR + Math.floor(n / (CPUS / 2));
  }

  #line(cpu: number, text: string): void {
    this.#micros += this.#random.integer(1, 9);
    const seconds = Math.floor(this.#micros / 1e6);
    const fraction = String(this.#micros % 1e6).padStart(6, '0');
    const stamp = `${String(seconds).padStart(6)}.${fraction}`;
    this.#lines.add(`          <idle>-0       [${String(cpu).padStart(3, '0')}] d.h1. ${stamp}: ${text}`);
  }
}

const ENTRIES = 64;
const BAR = 0x4000;
const FIRST_BAR = 0xe0000000;

const hex = (n: number): string => n.toString(16);
const two = (n: number): string => n.toString(16).padStart(2, '0');

/** Functions with 64 MSI-X entries each, one function per bus; entry n has IRTE n + 1. */
class QemuShape {
  readonly #lines: Lines;
  readonly #random: Random;
  readonly #vectors: Uint8Array;
  #micros = 0;

  constructor(lines: Lines, random: Random, objects: number) {
    this.#lines = lines;
    this.#random = random;
    this.#vectors = new Uint8Array(objects).map((_, n) => FIRST_VECTOR + (n % 200));
    this.#line('vtd_reg_ir_root addr 0x104800000 size 0x10000');
    this.#line('vtd_inv_desc_iec granularity 0x0 index 0x0 mask 0x0');
    this.#line('vtd_ir_enable enable 1');
    for (let f = 0; f * ENTRIES < objects; f++) this.#config(f);
    for (let n = 0; n < objects; n++) {
      const [handle, data] = [hex(this.#address(n)), 0];
      this.#table(n, 0, handle);
      this.#table(n, 4, '0');
      this.#table(n, 8, hex(data));
      this.#table(n, 12, '0');
    }
  }

  fire(n: number): void {
    const vector = this.#vectors[n]!;
    const from = hex(this.#address(n));
    const value = hex(vector * 0x10000 + 0xd);
    const dest = n % 16;
    const mr = 'mr 0x55a5606c0790 addr 0x';
    this.#line(`memory_region_ops_write cpu ${dest} ${mr}${from} value 0x0 size 4 name 'vtd-ir'`);
    this.#line(`vtd_ir_remap_msi_req addr 0x${from} data 0x0`);
    this.#line(
      `vtd_ir_irte_get index ${n + 1} low 0x${hex(0x40000 + (n >> 6) * 0x100)} high 0x${two(dest)}00${value.padStart(8, '0')}`,
    );
    this.#line(`vtd_ir_remap index ${n + 1} trigger 0 vector ${vector} deliver 0 dest 0x${hex(dest)} mode 1`);
    const to = hex(0xfee00004 + dest * 0x1000);
    this.#line(`vtd_ir_remap_msi (addr 0x${from}, data 0x0) -> (addr 0x${to}, data 0x40${two(vector)})`);
    this.#line(`apic_deliver_irq dest ${dest} dest_mode 1 delivery_mode 0 vector ${vector} trigger_mode 0`);
  }

  change(n: number): void {
    this.#table(n, 12, '1');
    this.#line(`vtd_inv_desc_iec granularity 0x1 index 0x${hex(n + 1)} mask 0x0`);
    this.#vectors[n] = FIRST_VECTOR + ((this.#vectors[n]! + 7) % 200);
    this.#table(n, 12, '0');
  }

  /** The remappable form: handle in bits 19:5 and 2, format in bit 4, SHV in bit 3 left 0. */
  #address(n: number): number {
    const handle = n + 1;
    return 0xfee00010 + ((handle & 0x7fff) << 5) + ((handle >> 15) << 2);
  }

  #config(f: number): void {
    const bar = FIRST_BAR + f * BAR;
    const place = `nvme ${two(f + 1)}:00.0`;
    const control = 0x8000 + ENTRIES - 1;
    for (const [at, value] of [
      [0x0, 0x101b36],
      [0x34, 0x40],
      [0x40, 0x11 + control * 0x10000],
      [0x44, 0x2000],
      [0x48, 0x3000],
    ] as const)
      this.#line(`pci_cfg_read ${place} @0x${hex(at)} -> 0x${hex(value)}`);
    this.#line(`pci_update_mappings_add ${place} 0,0x${hex(bar)}+0x${hex(BAR)}`);
    this.#line(`pci_cfg_write ${place} @0x42 <- 0x${hex(control)}`);
  }

  #table(n: number, offset: number, value: string): void {
    const f = Math.floor(n / ENTRIES);
    const at = hex(FIRST_BAR + f * BAR + 0x2000 + (n % ENTRIES) * 16 + offset);
    const mr = `mr 0x${hex(0x55a560000000 + f * 0x1000)}`;
    this.#line(`memory_region_ops_write cpu 3 ${mr} addr 0x${at} value 0x${value} size 4 name 'msix-table'`);
  }

  #line(text: string): void {
    this.#micros += this.#random.integer(1, 9);
    const seconds = 1795148648 + Math.floor(this.#micros / 1e6);
    this.#lines.add(`30205@${seconds}.${String(this.#micros % 1e6).padStart(6, '0')}:${text}`);
  }
}
