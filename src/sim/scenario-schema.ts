import * as v from 'valibot';
import { byName } from '../base/by-name.ts';
import { ruleNames } from '../check/rules.ts';
import { apicModels } from '../model/apic/local-apics.ts';
import { itsPlaces } from './arm/units/places.ts';

/** A duration in nanoseconds: a number, or a text with unit such as `10us`, `1.5ms`, `2s`. */
export const duration = v.pipe(
  v.union([v.pipe(v.number(), v.minValue(0)), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?(ns|us|ms|s)$/))]),
  v.description('A duration: nanoseconds, or a number with unit, such as 10us, 1.5ms or 2s.'),
);

const UNITS: Readonly<Record<string, number>> = byName({ ns: 1, us: 1e3, ms: 1e6, s: 1e9 });

/** A duration of a scenario in nanoseconds. */
export function nanoseconds(text: v.InferOutput<typeof duration>): number {
  if (typeof text === 'number') return text;
  const m = /^([\d.]+)(\D+)$/.exec(text)!;
  return Math.round(Number(m[1]) * UNITS[m[2]!]!);
}

const bdf = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/, 'a BDF with segment, such as 0000:03:00.0, was expected'),
  v.description('Segment, bus, device and function, such as 0000:03:00.0.'),
);

const count = (low: number, high: number, meaning: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(low), v.maxValue(high), v.description(meaning));

/** The host. */
const platform = v.strictObject({
  arch: v.optional(v.pipe(v.picklist(['x86', 'arm64', 'riscv64']), v.description('Architecture of the host.')), 'x86'),
  cpus: v.optional(count(1, 4096, 'Processors of the host.'), 4),
  remap: v.optional(
    v.pipe(
      v.picklist(['none', 'vtd', 'amd', 'its', 'gicv2m']),
      v.description(
        'Interrupt remapping of the host; on arm64 what takes messages: an ITS, also with none, or a GICv2m frame.',
      ),
    ),
    'none',
  ),
  its: v.optional(itsPlaces),
  remapEntries: v.optional(
    count(2, 65536, 'Entries of the interrupt remapping table (VT-d 65536 when absent), or of each AMD table (512).'),
  ),
  spis: v.optional(
    count(1, 938, 'SPIs of the GICv2m frame (remap: gicv2m), from INTID 80 on; 64 when absent. MSI_TYPER tells them.'),
  ),
  invalidation: v.optional(
    v.pipe(
      duration,
      v.description(
        'How long the VT-d unit takes for an invalidation and its wait descriptor (remap: vtd): the kernel waits for so long, and iec.done tells the end. None when absent: an invalidation is told as it is done, and takes no time.',
      ),
    ),
  ),
  gaLogEntries: v.optional(
    count(2, 32768, 'Entries of the GA log of the AMD IOMMU (remap: amd, policy avic), 512 when absent.'),
  ),
  apic: v.optional(
    v.pipe(
      v.picklist(apicModels),
      v.description(
        'How the local APICs of an x86 host are set up: xAPIC with logical ids of the flat or of the cluster model, or x2APIC (with VT-d: extended interrupt mode). Flat when absent, x2APIC above 255 CPUs.',
      ),
    ),
  ),
  vectors: v.optional(count(1, 203, 'Vectors of each x86 CPU that devices may get; 203 when absent.')),
  timer: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        'The kernel tests at boot that the timer ticks through the remapped I/O APIC (remap: vtd), which takes 0.1 s.',
      ),
    ),
    false,
  ),
  smmu: v.optional(
    v.pipe(v.boolean(), v.description('An SMMUv3 in front of the ITS (arm64): drivers of the host get I/O addresses.')),
    false,
  ),
});

/** iommufd on an Arm host: devices whose translation user space owns. There is an SMMU then. */
const iommufd = v.strictObject({
  devices: v.pipe(v.array(bdf), v.description('Functions of the host that are attached to its I/O address space.')),
  swMsiPages: v.optional(
    count(1, 64, 'Doorbells that fit into the software MSI window (policy vmsi: rmr), 64 when absent: one page each.'),
  ),
});

/** A PCI function of the host. */
const device = v.strictObject({
  bdf,
  name: v.pipe(v.string(), v.description('What its driver calls it; the names of its irqs begin with it.')),
  vectors: v.optional(count(0, 2048, 'Entries of the MSI-X table.'), 4),
  /** What drives it: `host`: the driver of the host requests its interrupts at boot; `none`: no driver uses it. */
  driver: v.optional(v.pipe(v.picklist(['host', 'none']), v.description('Who drives it at boot.')), 'host'),
  irqs: v.optional(count(0, 2048, 'Vectors that the driver of the host uses; all when absent.')),
  managed: v.optional(
    v.pipe(
      v.boolean(),
      v.description('Interrupts after the first are managed by the kernel, one for each CPU in turn.'),
    ),
    false,
  ),
  bar: v.optional(
    v.pipe(v.string(), v.regex(/^0x[0-9a-f]+$/), v.description('Address of the BAR with table and PBA.')),
  ),
  pba: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^0x[0-9a-f]{0,3}[08]$/),
      v.description('Offset of its PBA in that BAR, a multiple of 8; 0x8000 when absent. The table lies at 0.'),
    ),
  ),
  msi: v.optional(v.pipe(v.boolean(), v.description('Whether it has an MSI capability as well.')), false),
  msiVectors: v.optional(
    v.pipe(v.picklist([1, 2, 4, 8, 16, 32]), v.description('Messages that its MSI capability asks for.')),
    1,
  ),
  msiMask: v.optional(
    v.pipe(v.boolean(), v.description('Whether its MSI capability has a mask bit and a pending bit for each message.')),
    false,
  ),
  flr: v.optional(
    v.pipe(
      v.boolean(),
      v.description('Whether it has a PCI Express capability with function level reset (operation guest.flr).'),
    ),
    false,
  ),
  intx: v.optional(
    v.pipe(
      v.boolean(),
      v.description(
        'Whether it has an INTx pin, led to the I/O APIC (x86 without remapping) or the APLIC (riscv64); its driver leaves it enabled.',
      ),
    ),
    false,
  ),
  budget: v.optional(
    count(1, 4096, 'Causes that its driver serves with one interrupt of its INTx pin at most; all when absent.'),
  ),
  pin: v.optional(count(0, 4095, 'CPU on which its driver keeps its interrupts: it moves back what others move.')),
  timeout: v.optional(
    v.pipe(
      duration,
      v.description(
        'Its driver takes completions in its handlers, and looks for them itself when one was not seen for so long.',
      ),
    ),
  ),
  ims: v.optional(
    v.pipe(
      v.strictObject({
        entries: v.optional(count(1, 1_048_576, 'Entries; only memory limits them when absent.')),
        store: v.optional(
          v.pipe(v.picklist(['device memory', 'queue memory']), v.description('Where the entries lie.')),
          'device memory',
        ),
        maskable: v.optional(v.pipe(v.boolean(), v.description('Whether entries have a mask bit.')), true),
      }),
      v.description('Interrupt message storage of the function.'),
    ),
  ),
  queues: v.optional(
    v.pipe(
      v.strictObject({
        max: v.optional(count(1, 1_000_000, 'Queues that the function has.'), 8),
        perOwner: v.optional(count(1, 1_000_000, 'Queues that one owner may have; all when absent.')),
        depth: v.optional(count(1, 65_536, 'Descriptors that one queue holds.'), 16),
      }),
      v.description('Queues of the function, each bound to PASIDs.'),
    ),
  ),
  ntb: v.optional(
    v.pipe(
      v.strictObject({ peers: v.optional(count(1, 64, 'Peers behind the bridge.'), 1) }),
      v.description('The function is a non-transparent bridge, whose peers can raise interrupts of this side.'),
    ),
  ),
});

/** A virtual machine of KVM. */
const vm = v.strictObject({
  id: v.optional(count(0, 1023, 'Its number, as in kvm/<id>.'), 0),
  vcpus: v.optional(count(1, 255, 'Virtual CPUs; machines number theirs one after the other.'), 2),
  apic: v.optional(
    v.pipe(v.picklist(apicModels), v.description('How the guest sets up the local APICs of its virtual CPUs.')),
    'flat',
  ),
  share: v.optional(
    v.pipe(
      v.strictObject({
        cpus: v.optional(count(1, 4096, 'CPUs of the host that its virtual CPUs share: the first ones.'), 1),
        slice: v.optional(
          v.pipe(duration, v.description('How long one runs while another one waits for the same CPU.')),
          '1ms',
        ),
        until: v.pipe(duration, v.description('Until when a program of the guest computes on each; then they halt.')),
      }),
      v.description('Its virtual CPUs take turns on CPUs of the host, so that exits cost the guest time.'),
    ),
  ),
  devices: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          bdf: v.pipe(bdf, v.description('BDF in the guest; no other function of the scenario may have it.')),
          name: v.pipe(v.string(), v.description('What the guest calls it.')),
          vectors: v.optional(count(1, 2048, 'Entries of the MSI-X table.'), 4),
          source: v.optional(
            v.pipe(
              v.picklist(['userspace', 'irqfd', 'vhost', 'hostirq']),
              v.description('Who signals its interrupts: the VMM itself, an irqfd, a vhost worker, a host interrupt.'),
            ),
            'userspace',
          ),
          hostIrq: v.optional(
            count(1, 65535, 'Linux irq of the host behind vector 0, for source hostirq; others follow.'),
          ),
          driver: v.optional(v.pipe(v.picklist(['guest', 'none']), v.description('Who drives it at boot.')), 'guest'),
          irqs: v.optional(count(0, 2048, 'Vectors that the driver of the guest uses; all when absent.')),
          maskEach: v.optional(
            v.pipe(v.boolean(), v.description('The guest masks and unmasks the entry at every interrupt, with reads.')),
            false,
          ),
        }),
      ),
      v.description('Functions that the VMM emulates.'),
    ),
    [],
  ),
});

const hexText = (meaning: string) => v.pipe(v.string(), v.regex(/^0x[0-9a-f]+$/), v.description(meaning));
const pasid = (meaning: string) => count(0, 0xfffff, meaning);

/** A device that is assigned through VFIO: a function of the host, a part of one, or an emulated device. */
const vfioDevice = v.strictObject({
  name: v.pipe(v.string(), v.description('BDF of the function, or the name of a virtual device.')),
  parent: v.optional(v.pipe(bdf, v.description('Function whose interrupts serve a virtual device.'))),
  backend: v.optional(
    v.pipe(
      v.picklist(['pci', 'ims', 'emulated']),
      v.description('What serves its vectors; as policy vfioBackend says when absent.'),
    ),
  ),
  vectors: v.optional(count(0, 2048, 'MSI-X vectors.'), 4),
  msi: v.optional(
    count(0, 32, 'MSI vectors; with backend pci those of the MSI capability of the function when absent, else none.'),
  ),
  intx: v.optional(v.pipe(v.boolean(), v.description('Whether it has an INTx pin.')), true),
  express: v.optional(v.pipe(v.boolean(), v.description('Whether it is PCI Express.')), true),
  emulated: v.optional(
    v.pipe(v.array(v.number()), v.description('Vectors that software signals although the others are IMS entries.')),
    [],
  ),
  noresize: v.optional(
    v.pipe(v.boolean(), v.description('Vectors cannot be added while MSI-X is on (VFIO_IRQ_INFO_NORESIZE).')),
    false,
  ),
  grant: v.optional(count(0, 2048, 'Vectors that the platform grants at most.')),
  vm: v.optional(count(0, 1023, 'Virtual machine that has it.')),
  guest: v.optional(v.pipe(bdf, v.description('BDF in the guest; no other function of the scenario may have it.'))),
  driver: v.optional(v.pipe(v.picklist(['guest', 'none']), v.description('Who drives it at boot.')), 'guest'),
  irqs: v.optional(count(0, 2048, 'Vectors that the driver of the guest uses; all when absent.')),
  maskEach: v.optional(
    v.pipe(v.boolean(), v.description('The guest masks and unmasks the entry at every interrupt, with reads.')),
    false,
  ),
  guestMsi: v.optional(
    count(
      1,
      32,
      'The guest sees the MSI capability of the function (backend pci), and its driver enables MSI with so many vectors in place of MSI-X.',
    ),
  ),
  defaultPasid: v.optional(pasid('PASID of the host that its interrupts are for by default.')),
  idxd: v.optional(
    v.pipe(
      v.strictObject({
        permissions: v.optional(hexText('Offset of the MSI-X permission table in BAR 0.'), '0x600'),
        registers: v.optional(
          v.pipe(
            v.array(
              v.strictObject({
                name: v.pipe(v.string(), v.description('Its name.')),
                offset: hexText('Offset in BAR 0.'),
                size: count(1, 0x10000, 'Bytes.'),
                latency: v.pipe(v.picklist(['init', 'admin', 'hot']), v.description('How often it is used.')),
              }),
            ),
            v.description('Other registers of BAR 0, which lie beside the tables.'),
          ),
          [],
        ),
        queues: v.optional(v.pipe(v.array(v.number()), v.description('Queues of the function that it has.')), [0]),
        pasids: v.optional(
          v.pipe(
            v.array(v.pipe(v.array(v.number()), v.length(2))),
            v.description('PASIDs of the guest, each with the one of the host that stands for it.'),
          ),
          [],
        ),
      }),
      v.description('It is an IDXD device: permission table and queues.'),
    ),
  ),
});

/** A user of interrupts of a function: the driver of a guest, or one of the host. */
const consumer = v.strictObject({
  name: v.pipe(v.string(), v.description('Its name.')),
  vm: v.optional(count(0, 1023, 'Virtual machine that it runs in; the host when absent.')),
  device: v.pipe(bdf, v.description('Function of the host that it uses; its driver must be none.')),
  guest: v.optional(v.pipe(bdf, v.description('BDF under which the guest sees the function.'))),
  interrupts: v.optional(count(0, 2048, 'Interrupts that it sets up.'), 1),
  first: v.optional(count(0, 2048, 'Entry of its first interrupt: consumers of one function share its entries.'), 0),
  grants: v.optional(count(0, 2048, 'Messages that the hypervisor grants it at most.'), 2048),
});

/** Something to do at a time; further keys are the arguments of the operation. */
const task = v.looseObject({
  at: duration,
  op: v.pipe(v.string(), v.description('Operation, such as device.raise.')),
  object: v.optional(v.pipe(v.string(), v.description('Path of the object that it is done to.'))),
  every: v.optional(duration),
  times: v.optional(count(1, 10_000_000, 'How often, `every` apart.')),
});

/** A scenario: what there is, how it is designed, what happens. */
export const scenarioSchema = v.strictObject({
  $schema: v.optional(v.string()),
  title: v.pipe(v.string(), v.description('What it is called in lists.')),
  description: v.pipe(v.string(), v.description('What it shows, in a sentence or two.')),
  look: v.optional(v.pipe(v.string(), v.description('What to look at in a first run.'))),
  seeds: v.optional(v.pipe(v.array(v.string()), v.description('Rows of docs/seeds.md that it shows.')), []),
  jitter: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(1),
      v.description('How far delays vary under the seed: 0 not at all, 1 from nothing to twice as long.'),
    ),
    0,
  ),
  platform: v.optional(platform, {}),
  devices: v.optional(v.array(device), []),
  iommufd: v.optional(iommufd),
  vms: v.optional(v.array(vm), []),
  vfio: v.optional(v.array(vfioDevice), []),
  consumers: v.optional(v.array(consumer), []),
  policies: v.optional(v.record(v.string(), v.string()), {}),
  workload: v.optional(v.array(task), []),
  watch: v.optional(
    v.pipe(
      v.array(v.picklist(ruleNames)),
      v.description(
        'Rules to watch: every breach becomes an illegal event with the name of the rule, as it is given here.',
      ),
    ),
    [],
  ),
});

/** A scenario as it is used, defaults filled in. */
export type Scenario = v.InferOutput<typeof scenarioSchema>;

/** A device of a scenario. */
export type DeviceSpec = Scenario['devices'][number];

/** A virtual machine of a scenario. */
export type VmSpec = Scenario['vms'][number];

/** An assigned device of a scenario. */
export type VfioDeviceSpec = Scenario['vfio'][number];

/** A consumer of interrupts of a scenario. */
export type ConsumerSpec = Scenario['consumers'][number];

/** Something to do at a time. */
export type Task = Scenario['workload'][number];
