/**
 * /sys/bus/pci/devices/<bdf>/msi_irqs/<irq>: `msi` or `msix`. As lines `path:value`, which `grep -r .` prints, or as the content of
 * files of which a path tells. Other attributes of the function beside them are known: driver, irq, msi_bus, iommu_group.
 * Source of the format: drivers/pci/msi/msi.c, kernel/irq/msi.c msi_mode_show; Documentation/ABI/testing/sysfs-bus-pci.
 * What it cannot tell: its time; which vector of the function an irq is; irqs of other message stores (IMS).
 */
import { devSeen } from '../../model/events/pci.ts';
import { device } from '../../model/things/pci.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { emitDescriptor, emitIrq } from './facts.ts';
import { isPath, SnapshotReader } from './reader.ts';

interface Fact {
  readonly bdf: string;
  /** Linux irq of a line of msi_irqs; -1 for other attributes. */
  readonly irq: number;
  readonly file: string;
  readonly value: string;
}

const BDF = String.raw`[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]`;
const LINE = new RegExp(String.raw`^\S*\/?(${BDF})\/msi_irqs\/(\d{1,7}): ?(msix?)$`);
const ATTRIBUTE = new RegExp(String.raw`^(\S*\/)(${BDF})\/(driver|irq|msi_bus|iommu_group|numa_node|enable): ?(\S*)$`);
/** The same behind a line that names the function. */
const BELOW = /^msi_irqs\/(\d{1,7}): ?(msix?)$/;
const DRIVER_BELOW = /^driver: ?\S*\/drivers\/([\w-]+)$/;

export class MsiIrqsReader extends SnapshotReader<Fact> {
  constructor(out: TraceBuilder) {
    super(out, 'msi-irqs');
  }

  protected may(buf: Uint8Array, start: number): boolean {
    return this.place !== undefined || isPath(buf, start);
  }

  protected parse(line: string): Fact | undefined {
    const m = LINE.exec(line);
    if (m !== null) return { bdf: m[1]!, irq: Number(m[2]), file: 'msi_irqs', value: m[3]! };
    const [, folder = '', owner, file, value] = ATTRIBUTE.exec(line) ?? [];
    if (folder.includes('/devices/')) return { bdf: owner!, irq: -1, file: file!, value: value! };
    const bdf = this.place?.device;
    if (bdf === undefined) return undefined;
    const { irq } = this.place!;
    if (irq !== undefined) return /^msix?$/.test(line) ? { bdf, irq, file: 'msi_irqs', value: line } : undefined;
    const below = BELOW.exec(line);
    if (below !== null) return { bdf, irq: Number(below[1]), file: 'msi_irqs', value: below[2]! };
    const driver = DRIVER_BELOW.exec(line);
    return driver === null ? undefined : { bdf, irq: -1, file: 'driver', value: driver[1]! };
  }

  protected take({ bdf, irq, file, value }: Fact): string | undefined {
    const { out } = this;
    const { strings } = out.world;
    if (file === 'msi_irqs') {
      emitIrq(out, irq, (event) => event.device(strings.intern(bdf)));
      emitDescriptor(out, irq, (event) => event.msi(strings.intern(value)));
      return undefined;
    }
    // `readlink` prints the folder of the driver.
    const name = value.slice(value.lastIndexOf('/') + 1);
    if (file !== 'driver' || name === '') return `${file} of a function`;
    out.emit(devSeen.put().name(strings.intern(name)), out.world.object(device, `device/${bdf}`));
    return undefined;
  }

  protected variant(): string {
    return '';
  }
}
