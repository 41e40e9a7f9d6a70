/**
 * /sys/kernel/irq/<n>/: per_cpu_count, chip_name, hwirq, type, wakeup, name, actions. As lines `path:value`, which
 * `grep -r . /sys/kernel/irq` prints, or as the content of files of which a path tells.
 * Source of the format: kernel/irq/irqdesc.c; Documentation/ABI/testing/sysfs-kernel-irq.
 * What it cannot tell: its time; where a CPU that is possible and never online has a column, that it is not there.
 */

import { byName } from '../../base/by-name.ts';
import { listOf } from '../../base/cpu-list.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { placeOfChip } from './chips.ts';
import { emitDescriptor, emitIrq } from './facts.ts';
import { isPath, SnapshotReader } from './reader.ts';

interface Fact {
  readonly irq: number;
  readonly file: string;
  readonly value: string;
  /** The line is the value alone: the whole file. */
  readonly alone: boolean;
}

const FILES = 'per_cpu_count|chip_name|hwirq|type|wakeup|name|actions';
const LINE = new RegExp(String.raw`^(\S*\/)?irq\/(\d{1,7})\/(${FILES}):(?: ?(.*))?$`);
const VALUES: Readonly<Record<string, RegExp>> = byName({
  per_cpu_count: /^\d{1,10}(?:,\d{1,10})*$/,
  chip_name: /^.{0,100}$/,
  hwirq: /^(?:\d{1,19})?$/,
  type: /^(?:edge|level)$/,
  wakeup: /^(?:enabled|disabled)$/,
  name: /^.{0,100}$/,
  actions: /^.{0,1000}$/,
});
/** MSI-X tables have no more entries. A larger number may hold the function, too: the chip tells. */
const MOST_INDEX = 2048;
const MOST_COUNT = 0xffffffff;

export class IrqSysfsReader extends SnapshotReader<Fact> {
  /** The irq of the last line, and its chip. */
  #irq = -1;
  #chip: string | undefined;

  constructor(out: TraceBuilder) {
    super(out, 'irq-sysfs');
  }

  protected may(buf: Uint8Array, start: number): boolean {
    return this.place !== undefined || isPath(buf, start);
  }

  protected parse(line: string): Fact | undefined {
    const m = LINE.exec(line);
    if (m === null) {
      const { place } = this;
      return place?.file === undefined ? undefined : fact(place.irq!, place.file, line.trim(), true);
    }
    const [, folder = '', irq, file, value = ''] = m;
    return folder.endsWith('proc/') ? undefined : fact(Number(irq), file!, value.trim(), false);
  }

  protected take({ irq, file, value, alone }: Fact): string | undefined {
    const { out } = this;
    if (alone) this.place = undefined;
    const { strings } = out.world;
    if (irq !== this.#irq) this.#chip = undefined;
    this.#irq = irq;
    switch (file) {
      case 'per_cpu_count': {
        const counts = value.split(',').map(Number);
        if (counts.some((count) => count > MOST_COUNT)) return 'a count beyond 32 bits';
        emitIrq(out, irq, (event) =>
          event.counts(strings.intern(counts.join(' '))).cpus(strings.intern(listOf([...counts.keys()]))),
        );
        return undefined;
      }
      case 'chip_name': {
        this.#chip = value;
        const { device } = placeOfChip(value, undefined);
        emitIrq(out, irq, (event) => {
          event.chip(strings.intern(value));
          if (device !== undefined) event.device(strings.intern(device));
        });
        return undefined;
      }
      case 'hwirq':
        return this.#hwirq(irq, value);
      case 'type':
        emitIrq(out, irq, (event) => event.level(value === 'level'));
        return undefined;
      case 'wakeup':
        emitDescriptor(out, irq, (event) => event.wakeup(value === 'enabled'));
        return undefined;
      case 'name':
        if (value === '') return 'no flow handler';
        emitIrq(out, irq, (event) => event.flow(strings.intern(value)));
        return undefined;
      default:
        emitIrq(out, irq, (event) => event.actions(strings.intern(value.split(',').join(', '))));
        return undefined;
    }
  }

  #hwirq(irq: number, value: string): string | undefined {
    if (value === '') return 'no hwirq';
    if (this.#chip === undefined && Number(value) >= MOST_INDEX) return 'a hwirq of a chip that is not told';
    const { device, index } = placeOfChip(this.#chip ?? '', value);
    if (index === undefined) return 'a hwirq beyond 32 bits';
    emitIrq(this.out, irq, (event) => {
      event.hwirq(index);
      if (device !== undefined) event.device(this.out.world.strings.intern(device));
    });
    return undefined;
  }

  protected variant(): string {
    return '';
  }
}

/** A value of a file, when it looks like one. */
function fact(irq: number, file: string, value: string, alone: boolean): Fact | undefined {
  const form = VALUES[file];
  return form?.test(value) === true ? { irq, file, value, alone } : undefined;
}
