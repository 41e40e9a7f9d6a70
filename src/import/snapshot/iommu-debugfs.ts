/**
 * /sys/kernel/debug/iommu/intel/ir_translation_struct: the remapped, then the posted entries of the interrupt remapping tables; of
 * iommu_regset beside it the register IRTA. Source of the format: drivers/iommu/intel/debugfs.c; Documentation/ABI/testing/debugfs-intel-iommu.
 * What it cannot tell: its time; entries that are not present hold what they hold; what the interrupt entry cache of a unit still has.
 */
import { textOf } from '../../base/bytes.ts';
import { parseWords } from '../../base/hex.ts';
import { snapIrte, snapIrtes, snapUnit } from '../../model/events/snapshot/tables.ts';
import { irtaRegister } from '../../model/registers/vtd.ts';
import { irte, remapUnit } from '../../model/things/remap.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import type { Heard } from '../text/headings.ts';
import { SnapshotReader } from './reader.ts';

interface Entry {
  readonly kind: 'entry';
  readonly index: number;
  /** The lowest word first. */
  readonly value: readonly number[];
}

interface Fact {
  readonly kind: 'table' | 'off' | 'irta';
  readonly value: readonly number[];
}

const ROW =
  /^ *(\d{1,5}) +[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] +[0-9a-f]{8} (?:[0-9a-f]{8} )?[0-9a-f]{2} +([0-9a-f]{16})\s+([0-9a-f]{16})$/;
const TABLE = /^ *IR table address:([0-9a-f]{1,16})$/;
const OFF = /^Interrupt Remapping is not enabled$/;
const IRTA = /^IRTA\s+0xb8\s+0x([0-9a-f]{16})$/;
const UNIT = /^(?:Remapped|Posted) Interrupt supported on IOMMU: (\w{1,20})$/;
const REGISTERS = /^IOMMU: (\w{1,20}) Register Base Address: [0-9a-f]+$/;
const HEADER = /^ *Entry SrcID +(?:DstID|PDA_high)|^\*{4}$|^Name\s+Offset\s+Contents$/;
/** Behind the remapped entries of all units: the list of them is whole, and posted ones follow. */
const END_OF_REMAPPED = /^\*{4}$/;

const words = (text: string): readonly number[] => parseWords(`0x${text}`, 2) ?? [0, 0];

export class IommuDebugfsReader extends SnapshotReader<Entry | Fact> {
  #unit: string | undefined;
  /** Present entries of each unit, in a dump whose beginning was read. */
  #listed = new Map<string, number[]>();
  #whole = false;
  #entries = 0;
  readonly #units = new Set<string>();

  constructor(out: TraceBuilder) {
    super(out, 'iommu-debugfs');
  }

  protected may(buf: Uint8Array, start: number): boolean {
    const first = buf[start]!;
    // A blank, a digit, or the I of `Interrupt` and `IRTA`.
    return first === 32 || (first >= 48 && first <= 57) || first === 73;
  }

  protected parse(line: string): Entry | Fact | undefined {
    const row = ROW.exec(line);
    if (row !== null) return { kind: 'entry', index: Number(row[1]), value: [...words(row[3]!), ...words(row[2]!)] };
    const table = TABLE.exec(line);
    if (table !== null) return { kind: 'table', value: words(table[1]!) };
    if (this.#unit !== undefined && OFF.test(line)) return { kind: 'off', value: [] };
    const irta = this.#unit === undefined ? null : IRTA.exec(line);
    return irta === null ? undefined : { kind: 'irta', value: words(irta[1]!) };
  }

  protected take(record: Entry | Fact): undefined {
    const { out } = this;
    const unit = this.#unit ?? '0';
    this.#units.add(unit);
    const object = out.world.object(remapUnit, `irte/${unit}`);
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = record.value;
    switch (record.kind) {
      case 'entry':
        this.#entries++;
        this.#listed.get(unit)?.push(record.index);
        out.emit(snapIrte.put().value(w0, w1, w2, w3), out.world.object(irte, `irte/${unit}/${record.index}`));
        return;
      case 'table':
        out.emit(snapUnit.put().enabled(true).table(w0, w1), object);
        return;
      case 'off':
        out.emit(snapUnit.put().enabled(false), object);
        return;
      case 'irta': {
        const { size, eime, base } = irtaRegister.f;
        const event = snapUnit.put().eim(eime.of(w0, w1) === 1);
        if (base.of(w0, w1) > 0) event.entries(2 ** (size.of(w0) + 1));
        out.emit(event, object);
      }
    }
  }

  override note(buf: Uint8Array, start: number, end: number): string | undefined {
    super.note(buf, start, end);
    const line = textOf(buf, start, Math.min(end, start + 200)).trimEnd();
    const unit = UNIT.exec(line)?.[1];
    if (unit !== undefined) {
      if (line.startsWith('R')) {
        // Another dump in the same file begins behind a whole one.
        if (this.#whole) this.#finish();
        if (!this.#listed.has(unit)) this.#listed.set(unit, []);
      }
      this.#unit = unit;
      return 'header';
    }
    const registers = REGISTERS.exec(line)?.[1];
    if (registers !== undefined) {
      this.#finish();
      this.#unit = registers;
      return 'header';
    }
    if (END_OF_REMAPPED.test(line)) {
      if (this.#listed.size === 0) return undefined;
      this.#whole = true;
    }
    if (HEADER.test(line)) return 'header';
    this.#listed.clear();
    this.#whole = false;
    return undefined;
  }

  override hear(heard: Heard): void {
    super.hear(heard);
    if (heard.path === undefined) return;
    this.#finish();
    this.#unit = undefined;
  }

  override follow(before: IommuDebugfsReader): void {
    super.follow(before);
    this.#unit = before.#unit;
    this.#listed = before.#listed;
  }

  end(): void {
    this.#finish();
  }

  /** The dump has ended: what it does not list is not present. */
  #finish(): void {
    const { out } = this;
    if (this.#whole)
      for (const [unit, indexes] of this.#listed)
        out.emit(
          snapIrtes.put().indexes(out.world.strings.intern(indexes.join(' '))),
          out.world.object(remapUnit, `irte/${unit}`),
        );
    this.#listed = new Map();
    this.#whole = false;
  }

  protected variant(): string {
    return `${this.#entries} entries, ${this.#units.size} units`;
  }
}
