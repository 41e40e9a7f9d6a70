import type { Step } from '../../base/ids.ts';
import type { ArgSpec } from '../../model/event-args.ts';
import { domAlloc } from '../../model/events/domain.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { msgSend } from '../../model/events/msix.ts';
import { systemOfPath } from '../../model/namespace.ts';
import { amdData } from '../../model/registers/amd.ts';
import { vtdIrte, vtdPostedIrte } from '../../model/registers/vtd.ts';
import { isInterruptAddress, vtdAddress, vtdData, vtdHandle } from '../../model/registers/x86.ts';
import { mention } from '../../model/things/pci.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { argumentOf, type EventRow, eventRow } from '../../trace/row.ts';
import { countedBy, fixedPath, isCompared, isGlobal, isNumber, spaceOfArgument } from './numbers.ts';
import type { Survey } from './survey.ts';

/** Takes a word of what an event tells, under the name of its argument (`object`, `cpu`), as it reads in both traces. */
export type Take = (name: string, word: number) => void;

/** Texts of both traces by common numbers. */
export class CommonTexts {
  readonly #numbers = new Map<string, number>();

  number(text: string): number {
    let known = this.#numbers.get(text);
    if (known === undefined) this.#numbers.set(text, (known = this.#numbers.size));
    return known;
  }
}

/** Stands for the object of a message that selects a table entry: that says whose it is, also where no sender is told. */
const SELECTED = 0x1f83d9ab;
/** Stands for an argument that an event lacks. */
const ABSENT = 0x5bd1e995;
/** Set apart from numbers as they are: what follows is the common number of a thing. */
const THING = 0x2545f491;

/** Offsets of base address registers and the ROM in config space, up to before the last one. */
const BARS = [0x10, 0x34] as const;
/** Offset of Interrupt Line: software keeps there the number of the irq of INTx. */
const LINE = 0x3c;
/** Offsets in a table entry: of the message address, and of the data. */
const ADDRESS_AT = 0;
const DATA_AT = 8;

/** Bits of an address in remappable format that hold the number of the entry. */
const HANDLE = vtdAddress.f.handleLow.mask | vtdAddress.f.handleHigh.mask;

/** Names of the arguments that hold the address of a message. */
const ADDRESSES: ReadonlySet<string> = new Set(['address', 'newAddress']);

/**
 * Says what events tell in words that mean the same in both traces: numbers that the system gives out by itself in each run are
 * replaced by common numbers of the things that they mean; addresses in memory, causes and times are left out.
 */
export class Reading {
  readonly #survey: Survey;
  readonly #common: Int32Array;
  readonly #texts: CommonTexts;
  readonly #row: EventRow = eventRow(vocabulary[0]!);
  readonly #ofText: number[] = [];
  readonly #ofObject: number[] = [];
  /** Spaces of the entries of VT-d units. */
  readonly #vtd: readonly string[];
  readonly #amd: boolean;
  readonly #late: boolean;

  /**
   * `common`: the common number of each thing of the trace. `late`: one of the traces began later and may not tell who sent a message;
   * then the table entry that it selects says whose it is.
   */
  constructor(survey: Survey, common: Int32Array, texts: CommonTexts, late: boolean) {
    this.#late = late;
    this.#survey = survey;
    this.#common = common;
    this.#texts = texts;
    const units = [...survey.things.spaces()].map(([space]) => space).filter((space) => /(?:^|:)irte\//.test(space));
    this.#vtd = units.filter((space) => !space.includes('irte/amdvi-'));
    this.#amd = units.length > this.#vtd.length;
  }

  /** The common number of a thing. */
  common(thing: number): number {
    return this.#common[thing]!;
  }

  /** The common number of what an event is about. */
  thing(step: Step): number {
    return this.#common[this.#survey.ofStep[step]!]!;
  }

  /**
   * The common number of what an event may stand for another one about: of a message whose sender may not be told, that of the table
   * entry that it selects, or of its own words.
   */
  form(step: Step): number {
    const { trace } = this.#survey;
    if (!this.#late || trace.table.kind(step) !== msgSend) return this.thing(step);
    const row = trace.table.read(step, this.#row);
    const selected = this.#selected(step, row);
    if (selected >= 0) return selected;
    return trace.world.type(row.object) === mention
      ? this.#texts.number(trace.world.path(row.object))
      : this.thing(step);
  }

  /** The common number of the table entry that a message on the bus selects; -1 for none. */
  #selected(step: Step, row: EventRow): number {
    const { selected, things } = this.#survey;
    const entry = selected.of(row);
    if (entry < 0) return -1;
    const slot = things.numbered(entry);
    const thing = slot === null ? things.fixedAt(entry) : things.at(slot.space, slot.number, step);
    return thing < 0 ? -1 : this.#common[thing]!;
  }

  /** Number of the kind of an event. */
  kind(step: Step): number {
    return this.#survey.trace.table.kindNumber(step);
  }

  /** The path of the object of an event as it stands there, as a common number. */
  path(step: Step): number {
    const { things, trace } = this.#survey;
    return this.#texts.number(trace.world.path(things.meant(trace.table.object(step))));
  }

  /**
   * Whether the path of the object of an event says what it is, or the number of a GSI does: then an event with the same path in the
   * other trace is about the same object, also where it counts to another interrupt.
   */
  isPlaced(step: Step): boolean {
    const { things, trace } = this.#survey;
    const slot = things.numbered(things.meant(trace.table.object(step)));
    return slot === null || slot.what === 'gsi';
  }

  /** Hands over all that an event tells. */
  read(step: Step, take: Take): void {
    const { trace, ofStep } = this.#survey;
    const row = trace.table.read(step, this.#row);
    const selected = this.#late && row.kind === msgSend ? this.#selected(step, row) : -1;
    take('object', selected >= 0 ? SELECTED : this.#object(row.object));
    take('object', selected >= 0 ? selected : this.#common[ofStep[step]!]!);
    for (const arg of row.kind.args) if (isCompared(row.kind.name, arg.name)) this.#argument(step, row, arg, take);
    if (row.kind === irqEntry) take('cpu', row.cpu);
    if (row.extra !== 0) take('', this.#text(row.extra));
  }

  /** Hands over all that an event tells as it stands there: with the numbers that the system gave out. */
  readPlain(step: Step, take: Take): void {
    const { trace } = this.#survey;
    const { kind, words, at, object, extra } = trace.table.read(step, this.#row);
    take('object', this.#texts.number(trace.world.path(this.#survey.things.meant(object))));
    for (const arg of kind.args) {
      if (!isCompared(kind.name, arg.name)) continue;
      if (arg.optional && (words[at]! & arg.bit) === 0) take(arg.name, ABSENT);
      else if (arg.type === 's') take(arg.name, this.#text(words[at + arg.at]!));
      else if (arg.type === 'o') take(arg.name, this.#texts.number(trace.world.path(words[at + arg.at]!)));
      else for (let i = 0; i < arg.words; i++) take(arg.name, words[at + arg.at + i]!);
    }
    if (kind === irqEntry) take('cpu', this.#row.cpu);
    if (extra !== 0) take('', this.#text(extra));
  }

  #text(id: number): number {
    return (this.#ofText[id] ??= this.#texts.number(this.#survey.trace.world.strings.text(id)));
  }

  /** The path of an object, with a star for a number that differs between runs. */
  #object(object: number): number {
    const { things, trace } = this.#survey;
    const meant = things.meant(object);
    return (this.#ofObject[object] ??= this.#texts.number(
      things.numbered(meant)?.pattern ?? fixedPath(trace.world.path(meant)),
    ));
  }

  #argument(step: Step, row: EventRow, arg: ArgSpec, take: Take): void {
    const { words, at, kind } = row;
    const { name } = arg;
    if (arg.optional && (words[at]! & arg.bit) === 0) {
      take(name, ABSENT);
      return;
    }
    const word = words[at + arg.at]!;
    const what = isGlobal(row) ? undefined : countedBy(kind.name, name);
    if (what !== undefined) {
      const { things, trace } = this.#survey;
      this.#thing(
        name,
        isNumber(what, word) ? things.at(spaceOfArgument(what, trace.world.path(row.object)), word, step) : -1,
        word,
        take,
      );
    } else if (arg.type === 's') take(name, this.#text(word));
    else if (arg.type === 'o') {
      take(name, this.#object(word));
      const { things } = this.#survey;
      const slot = things.numbered(word);
      if (slot !== null) this.#thing(name, things.at(slot.space, slot.number, step), slot.number, take);
    } else this.#words(step, row, arg, take);
  }

  #thing(name: string, thing: number, number: number, take: Take): void {
    if (thing < 0) take(name, number);
    else {
      take(name, THING);
      take(name, this.#common[thing]!);
    }
  }

  /** Plain words: parts of messages and of entries may hold numbers that differ between runs. */
  #words(step: Step, row: EventRow, { name, at: first, words: count }: ArgSpec, take: Take): void {
    const { words, at, kind } = row;
    const from = at + first;
    const low = words[from]!;
    const offset = name === 'value' && kind.at['offset'] !== undefined ? words[at + kind.at['offset']!]! : -1;
    if (kind.name === 'cfg.write' && (offset === LINE || (offset >= BARS[0] && offset < BARS[1]))) return;
    if (kind === domAlloc && name === 'hwirq' && !this.#isBus(row)) return;
    if (ADDRESSES.has(name) || offset === ADDRESS_AT || kind.name === 'cfg.write') {
      if (this.#handle(step, row, low, name, take)) {
        for (let i = 1; i < count; i++) take(name, words[from + i]!);
        return;
      }
    }
    if (this.#amd && (name === 'data' || offset === DATA_AT)) {
      take(name, low & ~amdData.f.index.mask);
      return;
    }
    const posted = /^irte\.(?:read|write)$/.test(kind.name) && vtdIrte.f.posted.of(low) === 1;
    for (let i = 0; i < count; i++) {
      const { pdaLow, pdaHigh } = vtdPostedIrte.f;
      // Where the descriptor lies in memory.
      const hidden = posted && i === pdaLow.word ? pdaLow.mask : posted && i === pdaHigh.word ? pdaHigh.mask : 0;
      take(name, words[from + i]! & ~hidden);
    }
  }

  /** The number of a domain below the bus is one of that domain: a remapping entry, a vector, an LPI. */
  #isBus(row: EventRow): boolean {
    const { world } = this.#survey.trace;
    return /msi|ims/i.test(world.strings.text(domAlloc.read(row.words, row.at).domain));
  }

  /**
   * Takes the entry that a message in remappable format names, in place of its number; says whether it is such a message. The data
   * of the same event holds the subhandle; a store of the address alone names the first entry of a block.
   */
  #handle(step: Step, row: EventRow, address: number, name: string, take: Take): boolean {
    if (!isInterruptAddress(address) || vtdAddress.f.format.of(address) !== 1) return false;
    const { things, trace } = this.#survey;
    const data = vtdAddress.f.shv.of(address) === 1 ? (argumentOf(row, 'data') ?? 0) : 0;
    const index = vtdHandle(address) + vtdData.f.subhandle.of(data);
    const { system } = trace.world.spaceOf(row.object);
    const found = this.#vtd
      .filter((space) => systemOfPath(space) === system)
      .map((space) => things.at(space, index, step))
      .filter((thing) => thing >= 0);
    // Where no other event tells of the entry, or two units have one of that number, the number says nothing.
    take(name, found.length === 1 ? this.#common[found[0]!]! : THING);
    take(name, address & ~HANDLE);
    return true;
  }
}

/** What an event tells as one number; equal for events that tell the same. 53 bits: two different ones are hardly ever equal. */
export class Hash {
  #high = 0;
  #low = 0;

  readonly take: Take = (_name, word) => {
    this.add(word);
  };

  /** Starts again. */
  clear(): this {
    this.#high = 0x811c9dc5;
    this.#low = 0x1b873593;
    return this;
  }

  add(word: number): this {
    this.#high = Math.imul(this.#high ^ word, 0x01000193);
    this.#high ^= this.#high >>> 15;
    this.#low = Math.imul((this.#low ^ word) + 0x7f4a7c15, 0x85ebca6b);
    this.#low ^= this.#low >>> 13;
    return this;
  }

  get value(): number {
    return (this.#high >>> 0) * 0x200000 + ((this.#low >>> 0) >>> 11);
  }
}
