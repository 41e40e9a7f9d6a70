// What the lines of one file of /sys/kernel/debug/irq say together, as events.
import { numbersOf } from '../../base/cpu-list.ts';
import { requesterIn } from '../../model/bdf.ts';
import {
  snapCpu,
  snapDomain,
  snapMatrix,
  snapMessage,
  snapState,
  snapVector,
} from '../../model/events/snapshot/vector.ts';
import type { Namespace } from '../../model/namespace.ts';
import { firstLpi } from '../../model/registers/its.ts';
import { intelIrHwirq } from '../../model/registers/vtd.ts';
import { cpu, domain } from '../../model/things/irq.ts';
import { tally } from '../../trace/accounting.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { irqObject } from '../objects.ts';
import { placeOfChip } from './chips.ts';
import { emitDescriptor, emitIrq } from './facts.ts';
import { placeOfPath } from './place.ts';

/** Where a block begins in the source. */
interface Begin {
  readonly line: number;
  readonly offset: number;
}

/** A level of a hierarchy of domains: the innermost comes first. */
interface Level {
  readonly domain: string;
  hwirq: number | undefined;
  chip: string;
}

const HEX = /^0x[0-9a-f]{1,16}$/i;
const MOST_IRQ = 9_999_999;

/** A number in decimal or hexadecimal that fits 32 bits; undefined for other texts. */
function number(text: string | undefined): number | undefined {
  if (text === undefined || !(HEX.test(text) || /^\d{1,10}$/.test(text))) return undefined;
  const value = Number(text);
  return value <= 0xffffffff ? value : undefined;
}

/** Names of bits of which a dump prints those that are set: known only where it prints them. */
const NAMED = /^(?:_?IRQ_|IRQS_|IRQD_)/;

/** A dump of one irq. */
export class IrqBlock {
  readonly place: Begin;
  /** Linux irq that a path tells. */
  readonly path: number | undefined;
  /** Lines of it. */
  lines = 0;
  readonly #values = new Map<string, string>();
  readonly #flags: string[] = [];
  readonly #levels: Level[] = [];

  constructor(place: Begin, path: number | undefined) {
    this.place = place;
    this.path = path;
  }

  take(label: string, value: string): void {
    const level = this.#levels.at(-1);
    // An irq in no domain has an empty name there.
    if (label === 'domain') this.#levels.push({ domain: value, hwirq: undefined, chip: '' });
    else if (label === 'hwirq' && level !== undefined) level.hwirq = HEX.test(value) ? Number(value) : undefined;
    else if (label === 'chip' && level !== undefined) level.chip = value;
    else if (label === 'flag') this.#flag(value);
    else if (!this.#values.has(label)) this.#values.set(label, value);
  }

  #flag(name: string): void {
    if (!name.startsWith('IRQCHIP_') && NAMED.test(name)) this.#flags.push(name);
  }

  /** Linux irq: a path tells it, or the vector domain, whose hwirqs are irq numbers (x86); else the name of the file that was opened. */
  #irq(file: string): number | undefined {
    const vector = this.#levels.find((level) => level.domain === 'VECTOR')?.hwirq;
    const own = this.path ?? vector ?? placeOfPath(file)?.irq;
    return own === undefined || own > MOST_IRQ ? undefined : own;
  }

  /** Emits what the dump says; false when the number of the irq is not told. */
  emit(out: TraceBuilder, domains: Set<string>): boolean {
    const irq = this.#irq(out.source.file);
    if (irq === undefined) return false;
    this.#identity(out, irq);
    // Where it is delivered to depends on whether it has a vector.
    this.#vector(out, irq);
    this.#state(out, irq);
    this.#message(out, irq);
    this.#descriptor(out, irq);
    this.#levels.forEach((level, i) => {
      const parent = this.#levels[i + 1]?.domain;
      const key = `${level.domain} ${parent ?? ''}`;
      if (level.domain === '' || domains.has(key)) return;
      domains.add(key);
      const event = snapDomain.put();
      if (parent !== undefined) event.parent(out.world.strings.intern(parent));
      out.emit(event, domainObject(out.world, level.domain));
    });
    return true;
  }

  #identity(out: TraceBuilder, irq: number): void {
    const { strings } = out.world;
    const [inner] = this.#levels;
    const place = placeOfChip(inner?.chip ?? '', inner?.hwirq === undefined ? undefined : String(inner.hwirq));
    const device = this.#values.get('device') ?? '';
    const bdf = requesterIn(device) >= 0 ? device : place.device;
    const remap = this.#levels.find(({ chip }) => /^INTEL-IR/.test(chip))?.hwirq;
    const lpi = this.#levels.find(({ chip, hwirq }) => chip === 'ITS' && (hwirq ?? 0) >= firstLpi)?.hwirq;
    emitIrq(out, irq, (event) => {
      if (inner !== undefined) {
        if (inner.domain !== '') event.domain(strings.intern(inner.domain));
        if (inner.chip !== '') event.chip(strings.intern(inner.chip));
        if (place.index !== undefined) event.hwirq(place.index);
      }
      if (bdf !== undefined) event.device(strings.intern(bdf));
      const affinity = this.#list('affinity');
      if (affinity !== undefined) event.affinity(strings.intern(affinity));
      if (lpi !== undefined) event.lpi(lpi);
      if (remap !== undefined) event.irte(intelIrHwirq.f.index.of(remap) + intelIrHwirq.f.subhandle.of(remap));
    });
  }

  /** A list of CPUs; undefined when the dump has none. */
  #list(label: string): string | undefined {
    const value = this.#values.get(label);
    return value === undefined || numbersOf(value) === undefined ? undefined : value;
  }

  #state(out: TraceBuilder, irq: number): void {
    const has = (name: string): boolean => this.#flags.includes(name);
    const event = snapState.put();
    // A dump that was cut down may lack the names: then they say nothing.
    // Of an irq that each CPU has for itself, the descriptor does not tell where it is masked.
    const shared = !has('_IRQ_PER_CPU_DEVID');
    if (has('IRQD_ACTIVATED') || this.#names('dstate', 'IRQD_')) {
      if (shared) event.masked(has('IRQD_IRQ_MASKED'));
      event
        .activated(has('IRQD_ACTIVATED'))
        .managed(has('IRQD_AFFINITY_MANAGED'))
        .shutdown(has('IRQD_MANAGED_SHUTDOWN'))
        .level(has('IRQD_LEVEL'));
    }
    const depth = number(this.#values.get('ddepth'));
    if (depth !== undefined && shared) event.disabled(depth > 0);
    const effective = this.#list('effectiv');
    if (effective !== undefined) event.effective(out.world.strings.intern(effective));
    if (this.#values.has('istate')) event.latched(has('IRQS_PENDING'));
    out.emit(event, irqObject(out.world, irq));
  }

  /** Whether the names of the bits of a word are printed: some are, or the word has none. */
  #names(word: string, start: string): boolean {
    const value = number(this.#values.get(word));
    return value !== undefined && (value === 0 || this.#flags.some((name) => name.startsWith(start)));
  }

  #vector(out: TraceBuilder, irq: number): void {
    const told = this.#values.get('Vector');
    const vector = told === 'Not assigned' ? 0 : number(told);
    if (vector === undefined) return;
    const flag = (label: string): boolean | undefined => {
      const value = this.#values.get(label);
      return value === '0' || value === '1' ? value === '1' : undefined;
    };
    const event = snapVector.put().vector(vector);
    const target = number(this.#values.get('Target'));
    if (target !== undefined) event.cpu(target);
    const [prevVector, prevCpu] = [
      number(this.#values.get('Previous vector')),
      number(this.#values.get('Previous target')),
    ];
    if (prevVector !== undefined) event.prevVector(prevVector);
    if (prevCpu !== undefined) event.prevCpu(prevCpu);
    const moving = flag('move_in_progress');
    if (moving !== undefined) event.moving(moving);
    const managed = flag('is_managed');
    if (managed !== undefined) event.managed(managed);
    const canReserve = flag('can_reserve');
    if (canReserve !== undefined) event.canReserve(canReserve);
    const reserved = flag('has_reserved');
    if (reserved !== undefined) event.reserved(reserved);
    const cleanup = flag('cleanup_pending');
    if (cleanup !== undefined) event.cleanup(cleanup);
    out.emit(event, irqObject(out.world, irq));
  }

  #message(out: TraceBuilder, irq: number): void {
    const [hi, lo, data] = ['address_hi', 'address_lo', 'msg_data'].map((label) => number(this.#values.get(label)));
    if (hi === undefined || lo === undefined || data === undefined) return;
    out.emit(snapMessage.put().address(lo, hi).data(data), irqObject(out.world, irq));
  }

  #descriptor(out: TraceBuilder, irq: number): void {
    const { strings } = out.world;
    const value = (label: string): number | undefined => number(this.#values.get(label));
    emitDescriptor(out, irq, (event) => {
      const handler = this.#values.get('handler');
      if (handler !== undefined) event.handler(strings.intern(handler));
      const [status, istate, dstate] = [value('status'), value('istate'), value('dstate')];
      if (status !== undefined) event.status(status);
      if (istate !== undefined) event.istate(istate);
      if (dstate !== undefined) event.dstate(dstate);
      if (dstate !== undefined) event.flags(strings.intern(this.#flags.join(', ')));
      const [disable, wake] = [value('ddepth'), value('wdepth')];
      if (disable !== undefined) event.disableDepth(disable);
      if (wake !== undefined) event.wakeDepth(wake);
      const node = this.#values.get('node') ?? '';
      if (/^-?\d{1,5}$/.test(node)) event.node(Number(node));
      const pending = this.#list('pending');
      if (pending !== undefined) event.pending(strings.intern(pending));
      const msi = this.#values.get('msi');
      if (msi !== undefined) event.msi(strings.intern(msi));
    });
  }
}

/** What is known of a domain in a dump. */
interface DomainLevel {
  readonly name: string;
  readonly values: Map<string, string>;
  readonly flags: string[];
  parent: string | undefined;
}

/** A dump of a domain, with those below it. */
export class DomainBlock {
  readonly place: Begin;
  lines = 0;
  readonly #levels: DomainLevel[] = [];
  readonly #matrix = new Map<string, string>();
  readonly #rows: string[] = [];
  /** The matrix has the column `mac`. */
  #mac = true;

  constructor(place: Begin) {
    this.place = place;
  }

  /** Whether a further name begins another dump: the last domain has no parent whose name follows. */
  get isComplete(): boolean {
    const last = this.#levels.at(-1);
    return last !== undefined && last.parent === undefined;
  }

  take(label: string, value: string): void {
    const last = this.#levels.at(-1);
    if (label === 'name') this.#levels.push({ name: value, values: new Map(), flags: [], parent: undefined });
    else if (label === 'title') this.#mac = value === 'mac';
    else if (label === 'row') this.#rows.push(value);
    else if (label === 'parent' && last !== undefined) last.parent = value;
    else if (label === 'flag') last?.flags.push(value);
    else if (/^(?:Online|Global|Total|System)/.test(label)) this.#matrix.set(label, value);
    else last?.values.set(label, value);
  }

  emit(out: TraceBuilder, domains: Set<string>): boolean {
    const { strings } = out.world;
    for (const { name, values, flags, parent } of this.#levels) {
      const event = snapDomain.put();
      if (parent !== undefined) event.parent(strings.intern(parent));
      const [size, mapped, word] = ['size', 'mapped', 'flags'].map((label) => number(values.get(label)));
      if (size !== undefined) event.size(size);
      if (mapped !== undefined) event.mapped(mapped);
      if (word !== undefined) event.flags(word).flagNames(strings.intern(flags.join(', ')));
      domains.add(`${name} ${parent ?? ''}`);
      out.emit(event, domainObject(out.world, name));
    }
    if (this.#matrix.size > 0) this.#emitMatrix(out);
    for (const row of this.#rows) emitRow(out, row, this.#mac);
    return true;
  }

  #emitMatrix(out: TraceBuilder): void {
    const event = snapMatrix.put();
    const value = (label: string): number | undefined => number(this.#matrix.get(label));
    const [maps, available] = [value('Online bitmaps'), value('Global available')];
    const [reserved, total] = [value('Global reserved'), value('Total allocated')];
    if (maps !== undefined) event.onlineMaps(maps);
    if (available !== undefined) event.available(available);
    if (reserved !== undefined) event.reserved(reserved);
    if (total !== undefined) event.total(total);
    // `System: 38: 0-19,21`: how many there are, and which.
    const system = /^\d+: *([\d,-]*)$/.exec(this.#matrix.get('System') ?? '')?.[1];
    if (system !== undefined) event.system(out.world.strings.intern(system));
    out.emit(event, domainObject(out.world, 'VECTOR'));
  }
}

/** A row of the matrix: CPU, free, managed, managed and allocated (`mac`), allocated, and which vectors. */
function emitRow(out: TraceBuilder, row: string, mac: boolean): void {
  const words = row.split(/ +/);
  const [n, available, managed, ...more] = words.map(Number) as [number, number, number, ...number[]];
  const allocated = more[mac ? 1 : 0];
  // Without the line of titles nothing tells whether the fourth number is `mac`.
  if (allocated === undefined || Number.isNaN(allocated)) {
    tally(out.accounting.withoutEffect, 'a row of a matrix that has other columns than its title', 1);
    return;
  }
  const event = snapCpu
    .put()
    .available(available)
    .managed(managed)
    .allocated(allocated)
    // A CPU without an allocated vector has no list.
    .vectors(out.world.strings.intern(words[mac ? 5 : 4] ?? ''));
  if (mac) event.managedAllocated(more[0]!);
  out.emit(
    event,
    out.world.byNumbers(cpu, n, 0, () => `cpu/${n}`),
  );
}

const domainObject = (world: Namespace, name: string): number => world.object(domain, `domain/${name}`);
