/**
 * The file `config` of a PCI function in sysfs, as it is: 64, 128, 256 or 4096 bytes. Its path tells the function
 * (`…/0000:00:03.0/config`); a copy whose path does not is shown as `device/<name of the file>`. A row of 16 bytes is a record, its number
 * the line.
 * Source of the format: Documentation/PCI/sysfs-pci.rst; drivers/pci/pci-sysfs.c pci_read_config; PCIe Base 7.5.1.
 * What it cannot tell: its time; the size of a region; entries and pending bits of MSI-X tables. Users other than root read the first 64
 * bytes only (128 of a CardBus bridge), without the capabilities.
 */
import { headerType } from '../../model/registers/pci.ts';
import { device } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import type { Importer } from '../importer.ts';
import { emitBars, emitBytes, emitFeatures, KEPT } from './emit.ts';
import { ConfigSpace, LARGEST, SIZES } from './space.ts';

const ROW = 16;
/** Config offsets. */
const HEADER_TYPE = 0x0e;
const CLASS = 0x0b;
/** Base classes above that are none but one for anything else (PCI Code and ID Assignment 1). */
const LAST_CLASS = 0x14;
const COPROCESSOR = 0x40;
const UNASSIGNED = 0xff;
/** Layouts of headers: function, bridge, CardBus bridge. */
const LAYOUTS = 3;
/** A header has at least so many bytes 0: text has none. */
const ZEROS = 8;

/** Names of the file, or of its folder, that tell the function: `0000:00:03.0/config`, `config-0000:00:03.0.bin`. */
const IN_PATH =
  /(?:^|[/\\_.-])([\da-f]{4,8}:[\da-f]{2}:[01][\da-f]\.[0-7])(?:[/\\_.-]config)?(?:\.(?:bin|cfg|dump))?$/i;

/** The function that a path names. */
export const functionOfPath = (path: string): string | undefined => IN_PATH.exec(path)?.[1]?.toLowerCase();

/** Whether a whole file is a table of ACPI, some of which have such a size: it begins with a name of four letters and its length (ACPI 6.5, 5.2.6). */
const isAcpiTable = (bytes: Uint8Array): boolean =>
  bytes.subarray(0, 4).every((byte) => (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || byte === 95) &&
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) === bytes.length;

/** Whether a whole file is the config space of a function. */
export function isConfigSpace(bytes: Uint8Array): boolean {
  if (!SIZES.includes(bytes.length) || isAcpiTable(bytes)) return false;
  const type = headerType.f.layout.of(bytes[HEADER_TYPE]!);
  const base = bytes[CLASS]!;
  const known = base <= LAST_CLASS || base === COPROCESSOR || base === UNASSIGNED;
  let zeros = 0;
  for (let i = 0; i < SIZES[0]!; i++) if (bytes[i] === 0) zeros++;
  return known && type < LAYOUTS && zeros >= ZEROS && (bytes[0] !== 0 || bytes[1] !== 0);
}

export class ConfigSpaceImporter implements Importer {
  readonly #out: TraceBuilder;
  readonly #bytes: number[] = [];

  constructor(out: TraceBuilder) {
    this.#out = out;
    out.source.format = 'config-space';
    out.source.vantage = 'hardware';
    out.source.clock = 'none';
    out.source.binary = true;
  }

  push(chunk: Uint8Array): void {
    for (const byte of chunk.subarray(0, LARGEST - this.#bytes.length)) this.#bytes.push(byte);
  }

  settle(): void {
    const { accounting, source } = this.#out;
    accounting.lines = accounting.records;
    source.variant = `${this.#bytes.length} bytes`;
  }

  end(): void {
    const out = this.#out;
    const { file } = out.source;
    const bdf = functionOfPath(file);
    const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
    const dev = out.world.object(device, `device/${bdf ?? (name === '' ? 'unnamed' : name)}`);
    if (bdf === undefined)
      out.source.problem = `the path does not name the function (…/0000:00:03.0/config), which is shown as ${out.world.path(dev)}`;
    const space = new ConfigSpace();
    for (const [at, byte] of this.#bytes.entries()) space.put(at, byte);
    for (let at = 0; at < this.#bytes.length; at += ROW) {
      out.begin(at / ROW + 1, at);
      if (emitBytes(out, dev, space, at, Math.min(at + ROW, this.#bytes.length))) out.understood();
      else out.withoutEffect('config space from 0x100 on');
    }
    emitBars(out, dev, space);
    const features = this.#bytes.length <= KEPT ? undefined : space.features();
    if (features !== undefined) emitFeatures(out, dev, features);
    this.settle();
  }
}
