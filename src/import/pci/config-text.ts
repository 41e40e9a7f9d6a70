/**
 * Config space of PCI functions as hex dumps: `hexdump -C`, `hexdump`, `xxd`, `od -t x1` (addresses in hexadecimal, octal or decimal) of
 * the file `config` of a function in sysfs, and `setpci -v`. A path or BDF above the rows tells the function (`== 0000:00:03.0`,
 * `==> /sys/bus/pci/devices/0000:00:03.0/config <==`, a prompt with the command); setpci names it in each line.
 * Source of the format: hexdump(1), xxd(1), od(1); setpci.c of pciutils; Documentation/PCI/sysfs-pci.rst.
 * What it cannot tell: its time; the size of a region; entries and pending bits of MSI-X tables. Users other than root read the first 64
 * bytes only, without the capabilities. Words of hexdump and `od -x` are taken for those of a little-endian machine.
 */
import type { ObjectId } from '../../base/ids.ts';
import { cfgWrite } from '../../model/events/pci.ts';
import { device } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import type { NoEffect } from '../snapshot/reader.ts';
import { SnapshotReader } from '../snapshot/reader.ts';
import type { Heard } from '../text/headings.ts';
import { emitBars, emitBytes, emitFeatures, KEPT } from './emit.ts';
import { ConfigSpace, LARGEST, SIZES } from './space.ts';

/** Rows of a dump; `*` stands for rows that are like the one before; the last offset ends it. */
type Row =
  | { readonly kind: 'row'; readonly offset: number; readonly radix: number; readonly bytes: readonly number[] }
  | { readonly kind: 'same' }
  | { readonly kind: 'end'; readonly offset: number }
  | Access;

/** An access of setpci. */
interface Access {
  readonly kind: 'read' | 'write';
  readonly bdf: string;
  readonly offset: number;
  readonly size: number;
  readonly value: number;
}

const FUNCTION = /(?:^|[/\s])([\da-f]{4,8}:[\da-f]{2}:[01][\da-f]\.[0-7])(?:\/config)?:?$/;
/** An offset, with a colon in xxd, and what stands behind it. */
const OFFSET = /^([\da-f]{4,8})(:?) +(\S.*)$/;
const END = /^[\da-f]{6,8}$/;
const SETPCI =
  /^([\da-f]{4,8}:[\da-f]{2}:[01][\da-f]\.[0-7]) (?:\(e?cap [\da-f]{2,4} @[\da-f]{2,3}\) )?@([\da-f]{2,3})( =)? ((?:[\da-f]{2}|[\da-f]{4}|[\da-f]{8})(?:->\([\da-f]+:[\da-f]+\)->[\da-f]+)?)$/;
const ROW_BYTES = 16;

/** A function of which rows come. */
interface Dump {
  readonly object: ObjectId;
  readonly space: ConfigSpace;
  /** Offset behind the last row; 10, 16 or 8: how offsets are printed, once one tells it. */
  next: number;
  radix: number;
  /** Rows like the last one follow up to the next offset. */
  same: boolean;
  /** Its last line. */
  line: number;
  offset: number;
  gone: boolean;
}

export class ConfigSpaceReader extends SnapshotReader<Row> {
  /** The function that a path named; undefined: rows belong to none. */
  #function: string | undefined;
  #dump: Dump | undefined;
  #functions = new Set<string>();

  constructor(out: TraceBuilder) {
    super(out, 'config-space');
    out.source.vantage = 'hardware';
  }

  protected may(buf: Uint8Array, start: number): boolean {
    const first = buf[start]!;
    // A hexadecimal digit, or the star of a dump that goes on.
    return (first >= 48 && first <= 57) || (first >= 97 && first <= 102) || (first === 42 && this.#dump !== undefined);
  }

  protected parse(line: string): Row | undefined {
    const access = SETPCI.exec(line);
    if (access !== null) return accessOf(access);
    if (this.#function === undefined) return undefined;
    const dump = this.#dump;
    if (line === '*') return dump === undefined ? undefined : { kind: 'same' };
    if (END.test(line)) {
      const end = dump === undefined ? -1 : Number.parseInt(line, radixOf(dump, line, true));
      return dump !== undefined && end >= dump.next && end <= LARGEST ? { kind: 'end', offset: end } : undefined;
    }
    const m = OFFSET.exec(line);
    if (m === null) return undefined;
    const bytes = bytesOfRow(m[3]!, m[2] === ':');
    const radix = dump === undefined ? 16 : radixOf(dump, m[1]!, false);
    const offset = Number.parseInt(m[1]!, radix);
    // A digit that the radix does not have ends the number.
    if (bytes === undefined || !(offset >= 0 && offset < LARGEST)) return undefined;
    return { kind: 'row', offset, radix, bytes };
  }

  protected take(row: Row): NoEffect | undefined {
    if ('bdf' in row) return this.#access(row);
    if (row.kind === 'row' && (row.offset === 0 || this.#dump === undefined)) this.#begin();
    const dump = this.#dump!;
    dump.line = this.out.line;
    dump.offset = this.out.offset;
    if (row.kind === 'same') {
      dump.same = true;
      return 'rows like the one before';
    }
    const { next, same } = dump;
    dump.same = false;
    if (same && row.offset > next && next >= ROW_BYTES) {
      for (let at = next; at < row.offset; at++) dump.space.put(at, dump.space.read(at - ROW_BYTES, 1));
      if (!dump.gone) emitBytes(this.out, dump.object, dump.space, next, row.offset);
    }
    if (row.kind === 'end') return 'the end of a dump';
    const { offset, radix, bytes } = row;
    if (next > 0) dump.radix = radix;
    if (offset === 0 && bytes.every((byte) => byte === 0xff)) dump.gone = true;
    for (const [i, byte] of bytes.entries()) dump.space.put(offset + i, byte);
    dump.next = offset + bytes.length;
    if (dump.gone) return 'a function that does not answer';
    if (emitBytes(this.out, dump.object, dump.space, offset, dump.next)) return undefined;
    return 'config space from 0x100 on';
  }

  #begin(): void {
    const { out } = this;
    const { line, offset } = out;
    this.#flush();
    out.begin(line, offset);
    const path = `device/${this.#function}`;
    this.#functions.add(path);
    const object = out.world.object(device, path);
    this.#dump = {
      ...{ object, space: new ConfigSpace(), line, offset },
      ...{ next: 0, radix: 0, same: false, gone: false },
    };
  }

  #access({ kind, bdf, offset, size, value }: Access): undefined {
    const { out } = this;
    const { line, offset: byte } = out;
    this.#flush();
    out.begin(line, byte);
    this.#functions.add(`device/${bdf}`);
    const object = out.world.object(device, `device/${bdf}`);
    if (kind === 'write') {
      out.emit(cfgWrite.put().offset(offset).size(size).value(value), object);
      return;
    }
    const space = new ConfigSpace();
    for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 256)) space.put(offset + i, rest % 256);
    emitBytes(out, object, space, offset, offset + size);
  }

  #flush(): void {
    const dump = this.#dump;
    this.#dump = undefined;
    if (dump === undefined || dump.gone) return;
    const { out } = this;
    out.begin(dump.line, dump.offset);
    emitBars(out, dump.object, dump.space);
    const features = dump.space.count <= KEPT ? undefined : dump.space.features();
    if (features !== undefined) emitFeatures(out, dump.object, features);
  }

  override hear(heard: Heard): void {
    super.hear(heard);
    if (heard.path === undefined) return;
    this.#flush();
    this.#function = FUNCTION.exec(heard.path)?.[1];
  }

  override follow(before: ConfigSpaceReader): void {
    super.follow(before);
    this.#function = before.#function;
  }

  end(): void {
    this.#flush();
  }

  protected variant(): string {
    return `${this.#functions.size} functions`;
  }
}

/** How the offsets of a dump are printed: the first one behind its beginning tells, as rows and config spaces have known sizes. */
function radixOf({ radix, next, same }: Dump, text: string, last: boolean): number {
  if (radix > 0) return radix;
  const fits = (offset: number): boolean => (last ? SIZES.includes(offset) : same ? offset > next : offset === next);
  return [16, 8, 10].find((each) => fits(Number.parseInt(text, each))) ?? 16;
}

/** The 16 bytes of a row: pairs of digits, or words of two or four bytes, which only xxd prints in the order of the bytes. */
function bytesOfRow(text: string, xxd: boolean): number[] | undefined {
  const width = /^[\da-f]+/.exec(text)?.[0].length ?? 0;
  if (width !== 2 && width !== 4 && width !== 8) return undefined;
  const words = new RegExp(`^[\\da-f]{${width}}(?: {1,2}[\\da-f]{${width}}){${(ROW_BYTES * 2) / width - 1}}(?= |$)`);
  const found = words.exec(text)?.[0];
  // Words of four bytes in a dump of xxd have either order.
  if (found === undefined || (xxd && width === 8)) return undefined;
  return found.split(/ +/).flatMap((word) => {
    const bytes = (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
    return xxd ? bytes : bytes.reverse();
  });
}

function accessOf([, bdf, at, read, words]: RegExpExecArray): Access | undefined {
  const text = words!.slice(words!.lastIndexOf('>') + 1);
  const size = text.length / 2;
  const offset = Number.parseInt(at!, 16);
  if (offset + size > KEPT) return undefined;
  return { kind: read === undefined ? 'write' : 'read', bdf: bdf!, offset, size, value: Number.parseInt(text, 16) };
}
