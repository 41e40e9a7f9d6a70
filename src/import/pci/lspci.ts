/**
 * What lspci prints of PCI functions: plain, -n, -nn, -v to -vvv, -k, -D, -mm, -vmm, and the hex dumps of -x, -xxx, -xxxx. One function
 * begins with the line of its name and ends where the next one begins. Where a hex dump stands beside the text, both must agree: what
 * does not is an event, and the bytes hold.
 * Source of the format: lspci.c, ls-caps.c, ls-ecaps.c, ls-kernel.c of pciutils 3.0 to 3.15 (see lines.ts).
 * What it cannot tell: its time; entries and pending bits of MSI-X tables, which lie behind a BAR; capabilities where another user than
 * root ran it (`<access denied>`): they are not known, not absent. Addresses of regions are those that the kernel uses, which differ from
 * those in the registers where a host bridge translates; the size of a region stands in the text only.
 */
import { COLON, SPACE, textOf } from '../../base/bytes.ts';
import { hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import {
  snapBar,
  snapCommand,
  snapFeatures,
  snapFunction,
  snapMsi,
  snapMsix,
} from '../../model/events/snapshot/function.ts';
import { msiControl, msiData, msixControl, msixPba, msixTable, offsetBytes } from '../../model/registers/pci.ts';
import { atsControl, pasidControl, priControl, sriovControl } from '../../model/registers/pci-extended.ts';
import { device } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import type { BROKEN_OFF, NoEffect } from '../snapshot/reader.ts';
import { SnapshotReader } from '../snapshot/reader.ts';
import type { Heard } from '../text/headings.ts';
import type { Claim } from './claims.ts';
import { emitBars, emitBytes, emitDiffers, emitFeatures, emitMessages, KEPT } from './emit.ts';
import type {
  CapabilityLine,
  CapabilityName,
  DetailLine,
  FactsLine,
  FunctionLine,
  HexLine,
  Line,
  RegionLine,
} from './items.ts';
import { lineOf } from './lines.ts';
import { AT, ConfigSpace } from './space.ts';

/** Config offset of the Command register. */
const COMMAND = 4;
/** Offsets in the MSI and MSI-X capabilities. */
const CONTROL = 2;
const MSIX = { table: 4, pba: 8 } as const;
const MSI_ADDRESS = 4;

/** Where the first colon of a BDF stands, or that of its segment. */
const COLONS = [2, 4, 5, 8];
const MOST_BLANKS = 24;
/** Ends of broken lines that stand one below the other, at most. */
const MOST_STRAYS = 2;
/** Lines behind which something else is told: headings, and commands. */
const ELSEWHERE = /:$|^\S*[#$%] |\blspci\b/;
/** First letters of lines. */
const [C, D, S] = [67, 68, 83];
const TWO32 = 1n << 32n;
const low = (wide: bigint): number => Number(wide % TWO32);
const high = (wide: bigint): number => Number((wide / TWO32) % TWO32);

/** The function whose lines are read. */
interface Open {
  readonly object: ObjectId;
  readonly bdf: string;
  /** Its last line. */
  line: number;
  offset: number;
  /** Lines since then that are none of lspci, and the last of them. */
  strays: number;
  last: number;
  /** A line came that tells of it; a blank line stood in front of the first such line, and so in front of all. */
  told: boolean;
  spaced: boolean;
  readonly space: ConfigSpace;
  readonly claims: Claim[];
  /** The capability at hand, and whether its MSI message has 64 address bits. */
  capability: CapabilityName | undefined;
  /** The capabilities that came. */
  readonly seen: Set<CapabilityName>;
  at: number;
  indent: number;
  wide: boolean;
  maskable: boolean;
  /** Lines of regions, of drivers, of modules came; capabilities beyond 0x100 were told in words. */
  regions: boolean;
  driver: boolean;
  modules: boolean;
  features: boolean;
  /** VF Enable is clear: there are no virtual functions, whatever their number says. */
  vfsOff: boolean;
  /** Nothing answers: all reads are ones. */
  gone: boolean;
}

export class LspciReader extends SnapshotReader<Line> {
  #open: Open | undefined;
  #functions = 0;
  #dumped = 0;

  constructor(out: TraceBuilder) {
    super(out, 'lspci');
    out.source.vantage = 'hardware';
  }

  protected may(buf: Uint8Array, start: number): boolean {
    if (this.#open !== undefined) return true;
    // A BDF, with or without a segment; `Slot:` and `Device:` of -vmm; blanks and the C of a capability or of Control.
    if (COLONS.some((at) => buf[start + at] === COLON)) return true;
    let at = start;
    while (at < start + MOST_BLANKS && buf[at]! <= SPACE) at++;
    const first = buf[at]!;
    return first === C || (at === start && (first === S || first === D));
  }

  protected parse(line: string): Line | typeof BROKEN_OFF | undefined {
    const open = this.#open;
    return lineOf(line, { open: open !== undefined, capability: open?.capability, indent: open?.indent ?? 0 });
  }

  protected take(line: Line): NoEffect | undefined {
    if (line.kind === 'function') return this.#begin(line);
    const open = this.#open;
    if (line.kind === 'lonely' || open === undefined) return { skipped: 'a line of a function that is not told' };
    const gap = this.#gap(open);
    if (!open.told) open.spaced = gap;
    open.told = true;
    open.strays = 0;
    open.line = this.out.line;
    open.offset = this.out.offset;
    switch (line.kind) {
      case 'facts':
        return this.#facts(open, line);
      case 'region':
        return this.#region(open, line);
      case 'capability':
        return this.#capability(open, line);
      case 'hex':
        return this.#hex(open, line);
      case 'known':
        if (line.name === 'Kernel modules') open.modules = true;
        return line.name;
      case 'unknown':
        return { unknown: line.name };
      default:
        return this.#detail(open, line);
    }
  }

  /** Whether blank lines stand in front of the line at hand; that line is the last one then. */
  #gap(open: Open): boolean {
    const gap = this.out.line > open.last + 1;
    open.last = this.out.line;
    return gap;
  }

  #begin({ bdf, class: name, model, vendor }: FunctionLine): undefined {
    const { out } = this;
    const { line, offset } = out;
    this.#flush();
    out.begin(line, offset);
    const { strings } = out.world;
    const object = out.world.object(device, `device/${bdf}`);
    this.#functions++;
    this.#open = {
      ...{
        object,
        bdf,
        line,
        offset,
        strays: 0,
        last: line,
        told: false,
        spaced: false,
        space: new ConfigSpace(),
        claims: [],
      },
      ...{ capability: undefined, seen: new Set<CapabilityName>(), at: 0, indent: 0, wide: false, maskable: false },
      ...{ regions: false, driver: false, modules: false, features: false, vfsOff: false, gone: false },
    };
    const event = snapFunction.put();
    if (name !== undefined) event.class(strings.intern(name));
    if (model !== undefined) event.model(strings.intern(model));
    if (vendor !== undefined) event.vendor(vendor);
    out.emit(event, object);
  }

  /** Notes what the line at hand says of a register, to hold it against the bytes. */
  #claim(open: Open, at: number, size: number, mask: number, value: number, text: string): void {
    open.claims.push({ at, size, mask, value, text, line: this.out.line });
  }

  #facts(open: Open, { command, class: name, model, driver, group, node, pin, irq, messages }: FactsLine): undefined {
    const { out } = this;
    emitMessages(out, open.bdf, messages ?? []);
    const { strings } = out.world;
    if (command !== undefined) {
      out.emit(snapCommand.put().value(command.value).known(command.known), open.object);
      this.#claim(open, COMMAND, 2, command.known, command.value, command.text);
    }
    if ([name, model, driver, group, node, pin, irq].every((value) => value === undefined)) return;
    const event = snapFunction.put();
    if (name !== undefined) event.class(strings.intern(name));
    if (model !== undefined) event.model(strings.intern(model));
    if (driver !== undefined) event.driver(strings.intern(driver));
    if (group !== undefined) event.group(group);
    if (node !== undefined) event.node(node);
    if (pin !== undefined) event.pin(pin);
    if (irq !== undefined) event.irq(irq);
    if (driver !== undefined) open.driver = true;
    out.emit(event, open.object);
  }

  #region(open: Open, { bar, io, address, size, mapped }: RegionLine): NoEffect | undefined {
    open.regions = true;
    // -v does not number the regions.
    if (bar === undefined) return 'a region without a number';
    const event = snapBar.put().bar(bar).io(io);
    if (address !== undefined) event.address(low(address), high(address));
    if (size !== undefined) event.size(low(size), high(size));
    if (mapped !== undefined) event.mapped(mapped);
    this.out.emit(event, open.object);
    return undefined;
  }

  #capability(open: Open, { at, indent, name, msi, msix }: CapabilityLine): NoEffect | undefined {
    // Software uses the first of two with one ID.
    const again = (msi !== undefined || msix !== undefined) && open.seen.has(name);
    open.capability = again ? '' : name;
    open.at = at;
    open.indent = indent;
    open.seen.add(name);
    if (again) return 'second capability of its kind';
    const { out } = this;
    if (msix !== undefined) {
      const { enable, fmask, size } = msix;
      out.emit(snapMsix.put().at(at).enable(enable).fmask(fmask).size(size), open.object);
      const { f } = msixControl;
      const value = f.enable.put(Number(enable)) + f.fmask.put(Number(fmask)) + f.size.put(size - 1);
      const text = `MSI-X: Enable${sign(enable)} Count=${size} Masked${sign(fmask)}`;
      this.#claim(open, at + CONTROL, 2, f.enable.mask + f.fmask.mask + f.size.mask, value, text);
      return undefined;
    }
    if (msi === undefined) return 'Capabilities';
    const { enable, granted, capable, maskable, wide } = msi;
    open.wide = wide;
    open.maskable = maskable;
    const event = snapMsi.put().at(at).enable(enable).granted(granted).capable(capable).maskable(maskable).wide(wide);
    out.emit(event, open.object);
    const { f } = msiControl;
    const power = (count: number): number => 31 - Math.clz32(count);
    const value =
      f.enable.put(Number(enable)) +
      f.multipleEnable.put(power(granted)) +
      f.multipleCapable.put(power(capable)) +
      f.maskable.put(Number(maskable)) +
      f.address64.put(Number(wide));
    const mask = f.enable.mask + f.multipleEnable.mask + f.multipleCapable.mask + f.maskable.mask + f.address64.mask;
    const text = `MSI: Enable${sign(enable)} Count=${granted}/${capable} Maskable${sign(maskable)} 64bit${sign(wide)}`;
    this.#claim(open, at + CONTROL, 2, mask, value, text);
    return undefined;
  }

  #detail(open: Open, line: DetailLine): NoEffect | undefined {
    const { out } = this;
    const { at, wide, maskable } = open;
    switch (line.kind) {
      case 'message': {
        const { address, data } = line;
        out.emit(snapMsi.put().at(at).address(low(address), high(address)).data(data), open.object);
        const text = `Address: ${hexText(address)}`;
        this.#claim(open, at + MSI_ADDRESS, 4, 0xffffffff, low(address), text);
        if (wide) this.#claim(open, at + MSI_ADDRESS + 4, 4, 0xffffffff, high(address), text);
        this.#claim(open, at + (wide ? 0xc : 8), 2, msiData.f.data.mask, data, `Data: ${hexText(data)}`);
        return undefined;
      }
      case 'masks': {
        const { mask, pending } = line;
        out.emit(snapMsi.put().at(at).mask(mask).pending(pending), open.object);
        if (!maskable) return undefined;
        this.#claim(open, at + (wide ? 0x10 : 0xc), 4, 0xffffffff, mask, `Masking: ${hexText(mask)}`);
        this.#claim(open, at + (wide ? 0x14 : 0x10), 4, 0xffffffff, pending, `Pending: ${hexText(pending)}`);
        return undefined;
      }
      case 'table': {
        const { bar, offset } = line;
        out.emit(snapMsix.put().at(at).tableBar(bar).tableOffset(offset), open.object);
        const value = offsetBytes(offset) + msixTable.f.bir.put(bar);
        this.#claim(open, at + MSIX.table, 4, 0xffffffff, value, `Vector table: BAR=${bar} offset=${hexText(offset)}`);
        return undefined;
      }
      case 'pba': {
        const { bar, offset } = line;
        out.emit(snapMsix.put().at(at).pbaBar(bar).pbaOffset(offset), open.object);
        const value = offsetBytes(offset) + msixPba.f.bir.put(bar);
        this.#claim(open, at + MSIX.pba, 4, 0xffffffff, value, `PBA: BAR=${bar} offset=${hexText(offset)}`);
        return undefined;
      }
      case 'vfs':
        open.features = true;
        out.emit(
          snapFeatures
            .put()
            .totalVfs(line.total)
            .vfs(open.vfsOff ? 0 : line.count),
          open.object,
        );
        this.#claim(open, at + AT.totalVfs, 2, 0xffff, line.total, `Total VFs: ${line.total}`);
        this.#claim(open, at + AT.vfs, 2, 0xffff, line.count, `Number of VFs: ${line.count}`);
        return undefined;
      default:
        return this.#enable(open, line.enable);
    }
  }

  /** The capability at hand is enabled, or not. */
  #enable(open: Open, enable: boolean): NoEffect | undefined {
    const { out } = this;
    open.features = true;
    const claim = (at: number, field: { readonly mask: number; put(value: number): number }, text: string): void =>
      this.#claim(open, open.at + at, 2, field.mask, field.put(Number(enable)), `${text}: Enable${sign(enable)}`);
    switch (open.capability) {
      case 'ats':
        out.emit(snapFeatures.put().ats(enable), open.object);
        claim(AT.ats, atsControl.f.enable, 'ATSCtl');
        return undefined;
      case 'pri':
        out.emit(snapFeatures.put().pri(enable), open.object);
        claim(AT.pri, priControl.f.enable, 'PRICtl');
        return undefined;
      case 'pasid':
        out.emit(snapFeatures.put().pasid(enable), open.object);
        claim(AT.pasid, pasidControl.f.enable, 'PASIDCtl');
        return undefined;
      default:
        open.vfsOff = !enable;
        claim(AT.sriov, sriovControl.f.enable, 'IOVCtl');
        return 'detail of a capability';
    }
  }

  #hex(open: Open, { offset, bytes }: HexLine): NoEffect | undefined {
    const { space } = open;
    if (offset === 0 && bytes.every((byte) => byte === 0xff)) open.gone = true;
    if (open.gone) return 'a function that does not answer';
    for (const [i, byte] of bytes.entries()) space.put(offset + i, byte);
    if (emitBytes(this.out, open.object, space, offset, offset + bytes.length)) return undefined;
    return 'config space from 0x100 on';
  }

  /** The lines of a function have ended. */
  #flush(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { out } = this;
    const { object, space, claims } = open;
    out.begin(open.line, open.offset);
    if (open.modules && !open.driver) out.emit(snapFunction.put().unbound(true), object);
    if (space.count === 0) return;
    this.#dumped++;
    if (!open.regions) emitBars(out, object, space);
    const features = open.features || space.count <= KEPT ? undefined : space.features();
    if (features !== undefined) emitFeatures(out, object, features);
    emitDiffers(out, object, claims, space);
  }

  override note(buf: Uint8Array, start: number, end: number): string | undefined {
    super.note(buf, start, end);
    const open = this.#open;
    if (open === undefined) return undefined;
    // Mail programs break lines: what they put on a line of its own looks like none of lspci. Behind a blank line, and below a heading
    // or a command, something else is told.
    open.strays++;
    const apart = this.#gap(open) && !open.spaced;
    if (apart || open.strays > MOST_STRAYS || ELSEWHERE.test(textOf(buf, start, end).trim())) this.#flush();
    return undefined;
  }

  override hear(heard: Heard): void {
    if (heard.path !== undefined) this.#flush();
    super.hear(heard);
  }

  end(): void {
    this.#flush();
  }

  protected variant(): string {
    return `${this.#functions} functions${this.#dumped > 0 ? ', with hex dumps' : ''}`;
  }
}

const sign = (flag: boolean): string => (flag ? '+' : '-');
