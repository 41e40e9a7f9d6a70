/**
 * /proc/irq/<n>/: smp_affinity, effective_affinity, affinity_hint, node, spurious, and a folder for each action. As lines `path:value`, which
 * `grep -r . /proc/irq` prints, or as the content of files of which a path tells.
 * Source of the format: kernel/irq/proc.c (masks as bitmap_print_string, lists as bitmap_print_list prints them).
 * What it cannot tell: its time; actions that were requested before /proc was there have no folder.
 */

import { byName } from '../../base/by-name.ts';
import { listOfMask, numbersOf } from '../../base/cpu-list.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { emitDescriptor, emitIrq } from './facts.ts';
import { isPath, SnapshotReader } from './reader.ts';

interface Fact {
  /** -1: the file is not of one irq. */
  readonly irq: number;
  readonly file: string;
  readonly value: string;
  /** The line is the value alone: the whole file, but for `spurious`, which has three. */
  readonly alone?: true;
}

const FILES =
  'smp_affinity|smp_affinity_list|effective_affinity|effective_affinity_list|affinity_hint|node|spurious|actions';
const LINE = new RegExp(String.raw`^(\S*\/)?irq\/(\d{1,7})\/(${FILES}):(?: ?(.*))?$`);
const DEFAULT = /^\S*\/irq\/default_smp_affinity: ?([0-9a-f,]+)$/;
/** `ls` of the folder of an irq. */
const FOLDER = /^\S*proc\/irq\/(\d{1,7})\/:(?: ((?:[\w.@:[\]()-]+ )*[\w.@:[\]()-]*))?$/;
/** The folder of an action. */
const ACTION = /^\S*proc\/irq\/(\d{1,7})\/([^/]{1,60})\/$/;
const SPURIOUS = /^(?=.)(?:count (\d{1,10}))?(?: ?unhandled (\d{1,10}))?(?: ?last_unhandled (\d{1,10}) ms)?$/;
/** What a value of each file looks like. */
const VALUES: Readonly<Record<string, RegExp>> = byName({
  smp_affinity: /^[0-9a-f]{1,8}(?:,[0-9a-f]{8})*$/,
  effective_affinity: /^[0-9a-f]{1,8}(?:,[0-9a-f]{8})*$/,
  affinity_hint: /^[0-9a-f]{1,8}(?:,[0-9a-f]{8})*$/,
  smp_affinity_list: /^(?:[\d,-]*|)$/,
  effective_affinity_list: /^(?:[\d,-]*|)$/,
  node: /^-?\d{1,5}$/,
  spurious: SPURIOUS,
  actions: /^.{0,300}$/,
  default_smp_affinity: /^[0-9a-f]{1,8}(?:,[0-9a-f]{8})*$/,
});

export class ProcIrqReader extends SnapshotReader<Fact> {
  constructor(out: TraceBuilder) {
    super(out, 'proc-irq');
  }

  protected may(buf: Uint8Array, start: number): boolean {
    return this.place !== undefined || isPath(buf, start);
  }

  protected parse(line: string): Fact | undefined {
    const m = LINE.exec(line);
    if (m !== null) {
      const [, folder = '', irq, file, value = ''] = m;
      // `actions` is a file of /sys/kernel/irq too.
      if (folder.endsWith('kernel/') || (file === 'actions' && !folder.endsWith('proc/'))) return undefined;
      return fact(Number(irq), file!, value.trim());
    }
    const whole = DEFAULT.exec(line);
    if (whole !== null) return { irq: -1, file: 'default_smp_affinity', value: whole[1]! };
    const folder = FOLDER.exec(line);
    // Not what `ls` says of a folder that is not there.
    if (folder !== null && /^(?:|.*smp_affinity.*)$/.test(folder[2]?.trim() ?? ''))
      return { irq: Number(folder[1]), file: 'folder', value: folder[2]?.trim() ?? '' };
    const action = ACTION.exec(line);
    if (action !== null) return { irq: Number(action[1]), file: 'action', value: action[2]! };
    const { place } = this;
    const value = place?.file === undefined ? undefined : fact(place.irq ?? -1, place.file, line.trim());
    return value && { ...value, alone: true };
  }

  protected take({ irq, file, value, alone }: Fact): string | undefined {
    const { out } = this;
    if (alone && file !== 'spurious') this.place = undefined;
    const { strings } = out.world;
    switch (file) {
      case 'smp_affinity':
        return this.#mask(value, (cpus) => emitIrq(out, irq, (event) => event.affinity(cpus)));
      case 'smp_affinity_list':
        emitIrq(out, irq, (event) => event.affinity(strings.intern(value)));
        return undefined;
      case 'effective_affinity':
        return this.#mask(value, (cpus) => emitIrq(out, irq, (event) => event.effective(cpus)));
      case 'effective_affinity_list':
        emitIrq(out, irq, (event) => event.effective(strings.intern(value)));
        return undefined;
      case 'affinity_hint':
        return this.#mask(value, (cpus) => emitDescriptor(out, irq, (event) => event.hint(cpus)));
      case 'node':
        emitDescriptor(out, irq, (event) => event.node(Number(value)));
        return undefined;
      case 'spurious':
        return this.#spurious(irq, value);
      case 'actions':
        emitIrq(out, irq, (event) => event.actions(strings.intern(value.replace(/, ?/g, ', '))));
        return undefined;
      case 'action':
        emitIrq(out, irq, (event) => event.action(strings.intern(value)));
        return undefined;
      case 'folder':
        return this.#folder(irq, value);
      default:
        return file;
    }
  }

  /** Emits the set of CPUs of a mask; what no kernel has so many CPUs for is damage, not the empty set. */
  #mask(value: string, emit: (cpus: number) => void): string | undefined {
    const list = listOfMask(value);
    if (list === undefined) return 'a mask of more CPUs than any kernel has';
    emit(this.out.world.strings.intern(list));
    return undefined;
  }

  #spurious(irq: number, value: string): undefined {
    const [, count, unhandled, last] = SPURIOUS.exec(value)!;
    emitDescriptor(this.out, irq, (event) => {
      if (count !== undefined) event.count(Number(count));
      if (unhandled !== undefined) event.unhandled(Number(unhandled));
      if (last !== undefined) event.lastUnhandled(Number(last));
    });
  }

  /** The names in the folder of an irq. A name may hold blanks, so only one that stands alone beside those of the files is that of an action. */
  #folder(irq: number, value: string): string | undefined {
    const known = new Set(FILES.split('|'));
    const [action, ...more] = value.split(' ').filter((name) => name !== '' && !known.has(name));
    if (action === undefined || more.length > 0) return 'folder of an irq';
    emitIrq(this.out, irq, (event) => event.action(this.out.world.strings.intern(action)));
    return undefined;
  }

  protected variant(): string {
    return '';
  }
}

/** A value of a file, when it looks like one. */
function fact(irq: number, file: string, value: string): Fact | undefined {
  const form = VALUES[file];
  if (form === undefined || !form.test(value)) return undefined;
  if (file.endsWith('_list') && numbersOf(value) === undefined) return undefined;
  return { irq, file, value };
}
